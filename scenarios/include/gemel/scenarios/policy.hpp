#pragma once

#include <gemel/pkpd/population.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Policies: doses that follow from what is known of a subject, `[policies.NAME]` of a study.
namespace gemel::scenarios {

/// How a subject's dose by a policy came about.
enum class PolicyAction : std::uint8_t {
    dosed,     ///< from what is known of the subject
    no_advice, ///< nothing is known that would change it: the dose stated for that
    withheld,  ///< another drug is advised: no dose, and no outcome in arms with this policy
    no_dose    ///< the policy gives no amount above 0: the same
};
inline constexpr std::string_view policy_action_names[] = {
    "dosed", "no_advice", "withheld", "no_dose"};
inline constexpr std::size_t n_policy_actions = std::size(policy_action_names);

/// What a regimen makes of a gene's true diplotype: what a test reads, or nothing where it reads
/// nothing. Pure. Unset: the truth.
using GenotypeReading = std::function<std::optional<pkpd::Diplotype>(const pkpd::Diplotype& truth)>;

/// The genes a regimen knows, and how they are read. What is not here is not known.
using Knowledge = std::map<std::string, GenotypeReading>;

/// Subjects as a policy may see them: their covariates, and the genotypes that are known.
class SeenSubjects {
public:
    SeenSubjects(const pkpd::Population& population,
                 const pkpd::CohortBlock& cohort,
                 const Knowledge& knowledge)
        : population_(population),
          cohort_(cohort),
          knowledge_(knowledge) {}

    std::size_t count() const { return static_cast<std::size_t>(cohort_.range.count); }
    /// Of Population::covariates, [count].
    std::span<const double> covariate(std::size_t index) const {
        return std::span(cohort_.covariates).subspan(index * count(), count());
    }
    /// As read, [count]; nothing where it is not known.
    std::vector<std::optional<pkpd::Diplotype>> genotype(const std::string& gene) const;

private:
    const pkpd::Population& population_;
    const pkpd::CohortBlock& cohort_;
    const Knowledge& knowledge_;
};

/// What a policy gives some subjects, [count]; in its unit, 0 where nothing is given.
struct PolicyAmounts {
    std::vector<double> amount;
    std::vector<PolicyAction> action;
};

/// Const and safe to use from many threads.
class Policy {
public:
    virtual ~Policy() = default;
    virtual PolicyAmounts amounts(const SeenSubjects& subjects) const = 0;
};

/// A policy in a regimen: a column of amounts, one per subject, that multiplies records.
struct PolicyUse {
    std::string name;   ///< in results, REGIMEN_POLICY
    std::string policy; ///< of the study
    std::size_t regimen = 0;
    sim::Unit unit;        ///< of an amount
    double scale = 1.0;    ///< from the policy's unit: of a dose per time, the time it lasts
    double round_to = 0.0; ///< amounts are multiples of this; 0: not rounded
    double lowest = 0.0;   ///< amounts below become this
    double highest = std::numeric_limits<double>::infinity();
    double typical = 0.0;               ///< of the first subjects, for the choice of solvers
    std::shared_ptr<const Policy> rule; ///< nullptr until it is bound
};

} // namespace gemel::scenarios
