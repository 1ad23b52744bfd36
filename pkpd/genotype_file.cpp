#include "genotype_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::pkpd {
namespace {

std::string free_name(const std::filesystem::path& path, const std::vector<PopulationFile>& files) {
    const std::string name =
        "genotypes_" + path.stem().string() + (path.extension() == ".json" ? "_json" : "_csv");
    std::string free = name;
    int number = 1;
    const auto is_taken = [&](const PopulationFile& file) { return file.name == free; };
    while (std::ranges::any_of(files, is_taken))
        free = fmt::format("{}_{}", name, ++number);
    return free;
}

std::vector<std::pair<Diplotype, double>> candidates_of(const GenotypeCall* call) {
    std::vector<std::pair<Diplotype, double>> candidates;
    if (call != nullptr)
        for (const CallCandidate& candidate : call->candidates)
            candidates.emplace_back(candidate.diplotype, candidate.probability);
    return candidates;
}

/// Subjects without a call, the first few by name.
std::string named_subjects(const std::vector<std::string>& subjects) {
    constexpr std::size_t few_subjects = 5;
    std::string text = subjects.size() == 1 ? "the subject " : "the subjects ";
    for (std::size_t i = 0; i < std::min(few_subjects, subjects.size()); ++i)
        text += fmt::format("{}'{}'", i == 0 ? "" : ", ", subjects[i]);
    if (subjects.size() > few_subjects)
        text += fmt::format(" and {} more", subjects.size() - few_subjects);
    return text;
}

} // namespace

bool check_called_keys(const io::TomlView& table, sim::DiagnosticList& diagnostics) {
    const std::vector<std::string> known{"file", "missing"};
    bool is_right = true;
    for (const auto& [key, view] : table.members()) {
        if (std::ranges::count(known, key) > 0) continue;
        diagnostics.add(view.key_span(),
                        fmt::format("'{}' is no key beside `file`", key),
                        sim::suggest(key, known));
        is_right = false;
    }
    return is_right;
}

const GenotypeCalls* CallFiles::calls_of(const io::TomlView& file) {
    const std::string name = file.text().value_or("");
    const std::filesystem::path path = place_.file.parent_path() / name;
    std::error_code error;
    if (name.empty() || !std::filesystem::is_regular_file(path, error)) {
        diagnostics_.add(file.span(),
                         name.empty() ? "the name of a file of genotypes is expected"
                                      : fmt::format("there is no file '{}' beside this one", name));
        return nullptr;
    }
    const auto [at, is_new] = read_.try_emplace(path);
    if (!is_new) return at->second ? &*at->second : nullptr;
    const auto text = io::read_source(path, diagnostics_);
    if (!text) return nullptr;
    population_.files.push_back({free_name(path, population_.files), path, text});
    CallReading reading;
    for (const auto& [gene, table] : population_.model->genes)
        reading.genes.push_back(table);
    reading.passed_over = place_.library.names("genes");
    at->second = path.extension() == ".json" ? read_pharmcat(text, reading, diagnostics_)
                                             : read_genotype_table(text, reading, diagnostics_);
    return at->second ? &*at->second : nullptr;
}

std::shared_ptr<const CalledGenotypes>
CallFiles::read(const io::TomlView& file, const GeneTable& gene, bool may_be_missing) {
    const GenotypeCalls* calls = calls_of(file);
    if (calls == nullptr) return nullptr;
    const std::size_t index = *calls->find_gene(gene.name);
    const bool is_by_id = population_.data != nullptr;
    const std::vector<std::string>& subjects = is_by_id ? population_.data->ids : calls->subjects();
    auto called = std::make_shared<CalledGenotypes>();
    std::vector<std::string> without;
    for (const std::string& subject : subjects) {
        const auto row = calls->find_subject(subject);
        called->rows.push_back(candidates_of(row ? calls->find(*row, index) : nullptr));
        if (called->rows.back().empty()) without.push_back(subject);
    }
    if (subjects.empty())
        diagnostics_.add(file.span(), "this file has no subjects");
    else if (!without.empty() && !may_be_missing)
        diagnostics_.add(
            file.span(),
            fmt::format(
                "{} has no call of {} for {}", *file.text(), gene.name, named_subjects(without)),
            "say what then, as in missing = { by = \"ancestry\" }");
    else
        return called;
    return nullptr;
}

} // namespace gemel::pkpd
