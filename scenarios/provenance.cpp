#include "provenance.hpp"

#include <gemel/sim/lane_program.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <limits>

namespace gemel::scenarios {

namespace {

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += line + "\n";
    return text;
}

std::string now_utc() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

/// The attribute is a number wherever HDF5's signed integers hold it.
void write_seed(std::uint64_t seed, io::ResultFile& file) {
    if (seed <= std::numeric_limits<std::int64_t>::max())
        file.attribute("seed", static_cast<std::int64_t>(seed));
    else
        file.attribute("seed", std::to_string(seed));
}

} // namespace

std::string instruction_set() {
    return std::string(sim::name(sim::best_instruction_set()));
}

void write_provenance(const Study& study,
                      const Engine& engine,
                      const RunStudyOptions& options,
                      io::ResultFile& file) {
    file.attribute("title", study.title.empty() ? study.id : study.title);
    file.attribute("source", "gemel " + options.version);
    write_seed(study.population.seed, file);
    file.attribute("study_sha256", io::sha256_hex(study.text->text));
    file.provenance("version", options.version);
    file.provenance("command", options.command);
    file.provenance("created_utc", now_utc());
    file.provenance("seed", std::to_string(study.population.seed));
    file.provenance("rng", "philox4x32-10");
    const std::vector<SolverRow> solvers = solver_rows(study, engine.choices);
    file.provenance("solver", solver_names(solvers));
    file.provenance("solver_why", solver_reasons(solvers));
    file.provenance("rtol", fmt::format("{}", study.rtol));
    file.provenance("instruction_set", instruction_set());
    if (!study.overrides.empty()) file.provenance_text("overrides", joined(study.overrides));
    for (const InputFile& input : study.inputs)
        file.provenance_text(input.name, input.text);
}

void write_tier(const Engine& engine, const sim::RunReport& run, io::ResultFile& file) {
    const bool is_portable =
        run.n_fell_back == 0 &&
        std::all_of(engine.choices.begin(), engine.choices.end(), [](const auto& choice) {
            return choice.solver->is_portable;
        });
    file.provenance("tier", is_portable ? "everywhere" : "same build and CPU class");
    file.provenance("executor", executors_of(engine));
    file.provenance("n_fell_back", std::to_string(run.n_fell_back));
}

} // namespace gemel::scenarios
