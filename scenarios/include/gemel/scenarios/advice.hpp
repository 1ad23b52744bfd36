#pragma once

#include <gemel/io/resources.hpp>
#include <gemel/pkpd/inhibitors.hpp>
#include <gemel/pkpd/recommendation.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What is known of one drug for one patient: guidelines, equations and models side by side.
namespace gemel::scenarios {

/// A gene of a patient, with what else the diplotype could be.
struct PatientGenotype {
    struct Candidate {
        pkpd::Diplotype diplotype;
        double probability = 1.0;
    };
    std::shared_ptr<const pkpd::GeneTable> gene;
    std::vector<Candidate> candidates; ///< in the order of the file; none: not called
    std::string evidence;              ///< what it rests on, in words
};

/// A patient's file, `patient/1`.
struct Patient {
    std::string name;
    std::filesystem::path path;
    std::shared_ptr<const sim::SourceFile> file;
    std::map<std::string, io::TomlView> covariates; ///< read where something asks for them
    std::map<std::string, PatientGenotype> genotypes;
    std::vector<std::string> drugs;           ///< taken beside
    std::map<std::string, int> inhibitors;    ///< enzyme → class, as the file says
    std::map<std::string, std::string> which; ///< enzyme → what inhibits it, in words
};

/// @throws sim::InputError
Patient load_patient(const std::filesystem::path& file, const io::Library& library);
void describe_patient_for_reference(io::Fields& fields);

/// One diplotype of a gene, and what is left of it under inhibitors.
struct AdvisedDiplotype {
    std::string diplotype, score, phenotype;
    double probability = 1.0;
    std::string score_under_inhibition, phenotype_under_inhibition; ///< "" without an inhibitor
    pkpd::SeenGenotype seen;                                        ///< under inhibition
    pkpd::Diplotype alleles;
};

struct AdvisedGene {
    std::string gene, evidence;
    std::vector<AdvisedDiplotype> diplotypes; ///< none: not known
    std::string inhibition; ///< what inhibits the enzyme, and what that is taken for; or ""
};

/// A dose by a published equation, or why there is none.
struct EquationDose {
    std::string id, name, source, confidence, unit;
    std::optional<double> dose;  ///< in `unit`
    std::optional<double> daily; ///< the same per day, where `unit` is per time
    std::string daily_unit;
    std::vector<std::string> missing; ///< inputs and genotypes that are asked for
    std::vector<std::string> remarks;
};

/// A model's dose of equal exposure, or why there is none.
struct ModelDose {
    std::string id, name, source, exposure, usual, reference;
    std::optional<double> ratio;  ///< of the exposure under the usual dose to the reference's
    std::optional<double> factor; ///< of the usual dose, for the reference's exposure
    std::vector<std::string> missing;
    std::vector<std::string> remarks;
};

/// What holds for one combination of the diplotypes the patient may have.
struct AdviceAlternative {
    double probability = 1.0;
    std::vector<std::size_t> diplotypes; ///< [genes] which of each; unknown genes 0
    std::vector<const pkpd::Recommendation*> recommendations;
    std::vector<EquationDose> equations;
    std::vector<ModelDose> models;
};

struct Advice {
    std::string drug, patient;
    std::vector<AdvisedGene> genes; ///< that recommendations, equations or models of the drug ask
    std::vector<std::string> comedication; ///< what was made of each, in words
    std::shared_ptr<const pkpd::DrugRecommendations> recommendations; ///< nullptr: there are none
    std::vector<AdviceAlternative> alternatives;                      ///< the most probable first
    /// Whether all alternatives have the same recommendations.
    bool agree() const;
};

/// @throws sim::InputError for a drug that nothing in the library is about, or values of the
///         patient's file that something asks for and cannot read
Advice advise(const Patient& patient, const std::string& drug, const io::Library& library);

/// Drugs that recommendations, equations or models of the library are about, sorted.
std::vector<std::string> advised_drugs(const io::Library& library);

std::string advice_text(const Advice& advice);
std::string advice_json(const Advice& advice);

} // namespace gemel::scenarios
