#pragma once

#include <gemel/pkpd/model.hpp>
#include <gemel/scenarios/advice.hpp>

#include <map>
#include <string>

namespace gemel::scenarios {

/// A patient as a model sees one.
struct PatientOfModel {
    std::map<std::string, double> covariates; ///< that the patient's file gives
    std::map<std::string, std::string> genotypes;
    /// Genes whose activity score another drug lowers, with what is left of it.
    std::map<std::string, double> lowered_scores;
};

/// The dose that gives this patient the exposure of the genes' reference under the usual doses.
ModelDose model_dose(const pkpd::Model& model, const PatientOfModel& patient);

} // namespace gemel::scenarios
