#include "genotype_words.hpp"
#include "table_cells.hpp"

#include <gemel/io/csv_table.hpp>
#include <gemel/io/toml.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {
namespace {

/// Published probabilities are rounded.
constexpr double call_sum_tolerance = 1e-6;

class CallTableReader {
public:
    CallTableReader(const io::CsvTable& table,
                    const CallReading& reading,
                    sim::DiagnosticList& diagnostics)
        : table_(table),
          reading_(reading),
          diagnostics_(diagnostics) {
        calls_.genes = reading.genes;
    }

    std::optional<GenotypeCalls> read() {
        const std::size_t n_before = diagnostics_.size();
        subject_ = column("subject", reading_.subject.empty());
        gene_ = column("gene", true);
        diplotype_ = column("diplotype", true);
        probability_ = column("probability", false);
        if (diagnostics_.size() != n_before) return std::nullopt;
        for (const Row& row : table_.rows)
            read_row(row);
        for (const Group& group : groups_)
            finish(group);
        if (diagnostics_.size() != n_before) return std::nullopt;
        return std::move(calls_);
    }

private:
    using Row = std::vector<io::CsvCell>;
    /// The rows of one gene of a subject.
    struct Group {
        std::size_t subject = 0, gene = 0;
        int n_rows = 0, n_without_probability = 0;
        double sum = 0.0;
        bool has_no_call = false;
    };

    int column(const std::string& name, bool is_needed) {
        std::vector<std::string> known;
        for (std::size_t i = 0; i < table_.header.size(); ++i) {
            if (table_.header[i].text == name) return static_cast<int>(i);
            known.push_back(table_.header[i].text);
        }
        if (is_needed)
            diagnostics_.add(
                table_.header.front().span,
                fmt::format(
                    "this table has no column '{}'; it has {}", name, fmt::join(known, ", ")),
                "its columns are subject, gene, diplotype and, for alternatives, probability");
        return -1;
    }

    static const io::CsvCell* cell(const Row& row, int column) {
        return column < 0 ? nullptr : &row[static_cast<std::size_t>(column)];
    }

    void read_row(const Row& row) {
        const io::CsvCell& gene_cell = *cell(row, gene_);
        const auto gene = gene_to_read(gene_cell.text, gene_cell.span, reading_, diagnostics_);
        const io::CsvCell* subject_cell = cell(row, subject_);
        if (subject_cell != nullptr && subject_cell->text.empty())
            diagnostics_.add(subject_cell->span, "the subject is missing here");
        const std::string& name = subject_cell ? subject_cell->text : reading_.subject;
        const std::size_t subject = calls_.add_subject(name);
        if (gene) read_call(row, group(subject, *gene));
    }

    Group& group(std::size_t subject, std::size_t gene) {
        const std::size_t key = subject * calls_.genes.size() + gene;
        const auto [at, is_new] = index_.emplace(key, groups_.size());
        if (is_new) groups_.push_back({subject, gene});
        return groups_[at->second];
    }

    void read_call(const Row& row, Group& group) {
        const io::CsvCell& diplotype = *cell(row, diplotype_);
        GenotypeCall& call = calls_.at(group.subject, group.gene);
        if (group.n_rows++ == 0)
            call.evidence = {
                .source = table_.file->name, .place = diplotype.span, .is_outside = true};
        if (is_no_call(diplotype.text)) {
            group.has_no_call = true;
            return;
        }
        std::string why;
        auto candidate = parse_candidate(*calls_.genes[group.gene], diplotype.text, why);
        const double probability = read_probability(row, group);
        if (!candidate)
            diagnostics_.add(diplotype.span,
                             fmt::format("\"{}\" is no diplotype of {}: {}",
                                         diplotype.text,
                                         calls_.genes[group.gene]->name,
                                         why));
        else
            add(std::move(*candidate), probability, diplotype.span, call);
    }

    void add(CallCandidate candidate,
             double probability,
             const sim::SourceSpan& place,
             GenotypeCall& call) {
        const bool is_there = std::ranges::any_of(call.candidates, [&](const CallCandidate& other) {
            return other.diplotype == candidate.diplotype && other.text == candidate.text;
        });
        if (is_there)
            diagnostics_.add(place,
                             fmt::format("the diplotype {} of this subject stands here already",
                                         candidate.text));
        candidate.probability = probability;
        call.candidates.push_back(std::move(candidate));
    }

    double read_probability(const Row& row, Group& group) {
        const io::CsvCell* written = cell(row, probability_);
        if (written == nullptr || written->text.empty()) {
            ++group.n_without_probability;
            return 1.0;
        }
        const std::optional<double> value = number_in(written->text);
        const bool is_right = value && *value >= 0.0 && *value <= 1.0;
        if (!is_right)
            diagnostics_.add(written->span,
                             fmt::format("'{}' is no probability; a number from 0 to 1 is expected",
                                         written->text));
        group.sum += is_right ? *value : std::nan("");
        return value.value_or(0.0);
    }

    void finish(const Group& group) {
        GenotypeCall& call = calls_.at(group.subject, group.gene);
        if (call.candidates.empty()) return; // a no-call, or told
        const std::string whose = fmt::format("{} of the subject '{}'",
                                              calls_.genes[group.gene]->name,
                                              calls_.subjects()[group.subject]);
        if (group.has_no_call)
            tell(call, fmt::format("{} is a no-call in one row and called in another", whose));
        else if (group.n_rows > 1 && group.n_without_probability > 0)
            tell(call,
                 fmt::format(
                     "{} has {} diplotypes, and not all have a probability", whose, group.n_rows),
                 "write the probabilities of alternatives in a column `probability`");
        else if (group.n_without_probability == 0 && !std::isnan(group.sum) &&
                 std::abs(group.sum - 1.0) > call_sum_tolerance)
            tell(call,
                 fmt::format(
                     "the probabilities of {} sum to {:g}; 1 is expected", whose, group.sum));
        else if (!std::isnan(group.sum))
            finish_candidates(call.candidates);
    }

    void tell(const GenotypeCall& call, const std::string& message, const std::string& help = {}) {
        diagnostics_.add(call.evidence.place, message, help);
    }

    const io::CsvTable& table_;
    const CallReading& reading_;
    sim::DiagnosticList& diagnostics_;
    GenotypeCalls calls_;
    std::vector<Group> groups_;
    std::unordered_map<std::size_t, std::size_t> index_;
    int subject_ = -1, gene_ = -1, diplotype_ = -1, probability_ = -1;
};

std::optional<GenotypeCalls> read_call_table(std::shared_ptr<const sim::SourceFile> file,
                                             const CallReading& reading,
                                             io::CsvFormat format,
                                             sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    format.separator = io::detect_separator(file->text);
    format.ignore = "#";
    const io::CsvTable table = io::parse_csv(std::move(file), diagnostics, format);
    if (table.header.empty()) return std::nullopt;
    auto calls = CallTableReader(table, reading, diagnostics).read();
    return diagnostics.size() == n_before ? std::move(calls) : std::nullopt;
}

/// The first line that is no comment.
std::string_view first_table_line(std::string_view text) {
    for (;;) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (!line.starts_with('#') || line.size() == text.size()) return line;
        text.remove_prefix(line.size() + 1);
    }
}

} // namespace

std::optional<GenotypeCalls> read_genotype_table(std::shared_ptr<const sim::SourceFile> file,
                                                 const CallReading& reading,
                                                 sim::DiagnosticList& diagnostics) {
    return read_call_table(std::move(file), reading, {}, diagnostics);
}

std::optional<GenotypeCalls> read_outside_calls(const std::filesystem::path& path,
                                                const CallReading& reading,
                                                sim::DiagnosticList& diagnostics) {
    const auto file = io::read_source(path, diagnostics);
    if (!file) return std::nullopt;
    CallReading of_one = reading;
    of_one.subject = only_subject;
    io::CsvFormat format;
    const std::string_view line = first_table_line(file->text);
    if (line.find("gene") == std::string_view::npos)
        for (const char* name : {"gene", "diplotype"})
            format.header.push_back({name, {file, 0, 0, 1}});
    return read_call_table(file, of_one, std::move(format), diagnostics);
}

} // namespace gemel::pkpd
