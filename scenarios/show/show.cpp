#include "show/sections.hpp"
#include "summary.hpp"

#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace gemel::scenarios {

namespace {

const std::string weight_path = "population/weight";

std::string axes_text(const io::ResultReader& file, const io::Variable& variable) {
    std::string text;
    for (const std::string& axis : variable.axes)
        text +=
            fmt::format("{}{} {}", text.empty() ? "" : " × ", grouped(file.axis_size(axis)), axis);
    return text;
}

std::string line(const std::string& key, const std::string& value) {
    return value.empty() ? "" : padded(key, 10) + value + "\n";
}

std::string arms_text(const io::ResultReader& file) {
    return fmt::format("{}", fmt::join(file.axis("arm").labels, ", "));
}

} // namespace

std::string with_unit(const std::string& name, const std::string& unit) {
    return unit == "1" || unit.empty() ? name : fmt::format("{} [{}]", name, unit);
}

const io::Variable* find_variable(const std::vector<io::Variable>& all, const std::string& path) {
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const io::Variable& v) { return v.path == path; });
    return at == all.end() ? nullptr : &*at;
}

std::string name_of(const io::Variable& variable) {
    return variable.path.substr(variable.path.rfind('/') + 1);
}

bool has_weights(const io::ResultReader& file) {
    return find_variable(file.variables(), weight_path) != nullptr;
}

std::vector<double> SubjectWeights::of(std::uint64_t first, std::uint64_t count) const {
    if (!is_weighted_) return std::vector<double>(static_cast<std::size_t>(count), 1.0);
    return file_.reals(weight_path, -1, first, count);
}

std::string show_contents(const io::ResultReader& file) {
    std::string text = line("title", file.attribute("title"));
    text += line("arms", arms_text(file));
    if (file.n_replicates() > 0)
        text += line("repeated",
                     fmt::format("{} replicates; curves and outcomes are shown of the first",
                                 grouped(file.n_replicates())));
    text += line("solver", file.provenance("solver"));
    text += line("seed", file.provenance("seed"));
    text += line("made by", file.attribute("source"));
    text += line("made at", file.provenance("created_utc"));
    text += line("sha256", file.attribute("results_sha256"));
    std::vector<std::vector<std::string>> rows;
    for (const io::Variable& variable : file.variables())
        if (!variable.path.starts_with("endpoints/") && !variable.path.starts_with("diagnostics/"))
            rows.push_back({with_unit(variable.path, variable.units),
                            axes_text(file, variable),
                            variable.long_name});
    return text + "\n" + text_table(rows);
}

std::string show(const std::filesystem::path& results, const ShowOptions& options) {
    io::ResultReader file(results);
    const bool is_all = options.what == ShowWhat::all;
    std::vector<std::string> parts;
    if (is_all || options.what == ShowWhat::contents) parts.push_back(show_contents(file));
    if (is_all || options.what == ShowWhat::endpoints)
        parts.push_back(file.n_replicates() > 0 ? show_replicated_endpoints(file)
                                                : show_endpoints(file, options));
    if (is_all || options.what == ShowWhat::outcomes) parts.push_back(show_outcomes(file, options));
    if (is_all || options.what == ShowWhat::curves) parts.push_back(show_curves(file, options));
    std::erase(parts, std::string());
    if (parts.empty()) return results.string() + " holds nothing of the kind\n";
    return fmt::format("{}", fmt::join(parts, "\n"));
}

} // namespace gemel::scenarios
