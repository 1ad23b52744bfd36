#pragma once

#include "engine.hpp"

#include <gemel/scenarios/run_study.hpp>

#include <string>

namespace gemel::scenarios {

/// SHA-256 of all that the numbers of a run depend on: the texts of study, models, genes and data,
/// overrides, seed, size, solvers, the version of the program and what of the machine shows in its
/// last bits. Not the names of files, threads or lanes.
std::string run_key(const Study& study, const Engine& engine, const RunStudyOptions& options);

} // namespace gemel::scenarios
