#include "run_key.hpp"

#include <gemel/io/result_file.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace gemel::scenarios {

namespace {

/// With its length in front, so that no two lists of texts look alike.
void append_text(std::string_view text, std::string& list) {
    list += fmt::format("{}\n", text.size());
    list += text;
}

} // namespace

std::string run_key(const Study& study, const Engine& engine, const RunStudyOptions& options) {
    std::string list = fmt::format("{}\n{} {} {} {} {}\n",
                                   io::result_layout,
                                   study.population.seed,
                                   study.population.size,
                                   study.n_replicates,
                                   study.rtol,
                                   study.max_steps);
    append_text(options.version, list);
    append_text(instruction_set(), list);
    append_text(solver_names(solver_rows(study, engine.choices)), list);
    for (const std::string& text : study.overrides)
        append_text(text, list);
    for (const InputFile& input : study.inputs) {
        append_text(input.name, list);
        append_text(input.text, list);
    }
    return io::sha256_hex(list);
}

} // namespace gemel::scenarios
