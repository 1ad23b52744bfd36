#pragma once

#include "model_words.hpp"

#include <gemel/sim/solver.hpp>

namespace gemel::pkpd {

/// The `[[tests]]` of a model, checked against the lowered model.
void read_tests(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics);

/// A patient and doses, with what is expected of them, against the model they are of.
ModelTest
read_test(const TestWords& words, const Model& model, sim::DiagnosticList& diagnostics);

/// The test's patient, typical but for what it says, after its doses. Observed until the last of
/// its times.
/// @param solver  "" for the model's choice
/// @throws std::invalid_argument if there is no such solver, or it cannot solve the model
sim::BlockResult solve_typical(const Model& model,
                               const ModelTest& test,
                               const sim::Observation& observation,
                               const std::string& solver,
                               double rtol);

} // namespace gemel::pkpd
