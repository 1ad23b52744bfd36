#pragma once

#include "engine.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/run_study.hpp>

namespace gemel::scenarios {

/// What was asked and what answered: exact texts of every file, overrides, program, solver, seed.
/// No name of a host or user, and no path of this machine.
void write_provenance(const Study& study,
                      const Engine& engine,
                      const RunStudyOptions& options,
                      io::ResultFile& file);

/// How far the bits of these results carry: known after the run, because a subject that fell back
/// to CVODE takes them all to its tier.
void write_tier(const Engine& engine, const sim::RunReport& run, io::ResultFile& file);

/// Planned doses as NONMEM would list them, one row per record, then those that a data file's
/// subjects have for themselves: /events.
void declare_events(const Study& study, io::Layout& file);
void write_events(const Study& study, io::ResultFile& file);

} // namespace gemel::scenarios
