#pragma once

#include <gemel/scenarios/policy.hpp>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// What depends on genotypes alone is worked out once per class of diplotypes that come to the
/// same.
namespace gemel::scenarios {

/// One gene's diplotypes in classes; the last class are those that are not known.
struct DiplotypeClasses {
    std::string gene;
    std::map<pkpd::Diplotype, std::size_t> class_of;
    std::vector<pkpd::Diplotype> representatives; ///< of all classes but the last
    std::size_t count() const { return representatives.size() + 1; }
};

/// What a regimen can read of the diplotypes a population can draw; nothing is among it where some
/// reading is none. Of a gene that it does not know: nothing alone.
struct Readable {
    std::set<pkpd::Diplotype> diplotypes;
    bool can_be_unknown = false;
};
Readable
readable(const pkpd::Population& population, const Knowledge& knowledge, const std::string& gene);

/// Classes by a key: diplotypes of equal keys are one class, those without a key are not known.
using ClassKey = std::function<std::optional<std::vector<double>>(const pkpd::Diplotype&)>;
DiplotypeClasses classes_by(const std::string& gene, const Readable& of, const ClassKey& key);

/// Classes of several genes together, numbered 0 … count() − 1.
class GenotypeCombinations {
public:
    explicit GenotypeCombinations(std::vector<DiplotypeClasses> genes) : genes_(std::move(genes)) {}

    std::size_t count() const;
    const std::vector<DiplotypeClasses>& genes() const { return genes_; }
    /// One diplotype per gene, or nothing where it is not known.
    std::vector<std::optional<pkpd::Diplotype>> at(std::size_t combination) const;
    /// Which combination each subject is of, [count].
    std::vector<std::size_t> of(const SeenSubjects& subjects) const;
    /// "CYP2D6 *4/*4, CYP2C19 not known".
    std::string text(std::size_t combination, const pkpd::Population& population) const;

private:
    std::vector<DiplotypeClasses> genes_;
};

/// The population's law for a gene; nullptr if it has none.
const pkpd::GenotypeDistribution* find_genotype(const pkpd::Population& population,
                                                const std::string& gene);

} // namespace gemel::scenarios
