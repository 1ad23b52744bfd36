#include "call_output.hpp"

#include <gemel/io/csv.hpp>
#include <gemel/io/json.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>

namespace gemel::cli {

namespace {

const std::string& phenotype_name(const pkpd::GeneTable& gene, const pkpd::Diplotype& diplotype) {
    return gene.phenotypes[static_cast<std::size_t>(gene.phenotype(diplotype))].name;
}

class CsvCalls final : public CallWriter {
public:
    explicit CsvCalls(std::ostream& out)
        : csv_(out,
               {"subject",
                "gene",
                "diplotype",
                "probability",
                "activity_score",
                "phenotype",
                "evidence"}) {}

    void add(const std::string& subject,
             const pkpd::GeneTable& gene,
             const pkpd::GenotypeCall& call) override {
        for (const pkpd::CallCandidate& candidate : call.candidates)
            if (candidate.probability > 0.0) add(subject, gene, call, &candidate);
        if (!call.is_called()) add(subject, gene, call, nullptr);
    }

private:
    void add(const std::string& subject,
             const pkpd::GeneTable& gene,
             const pkpd::GenotypeCall& call,
             const pkpd::CallCandidate* candidate) {
        csv_.cell(subject);
        csv_.cell(gene.name);
        csv_.cell(candidate ? candidate->text : "no call");
        csv_.cell(candidate ? candidate->probability : std::nan(""));
        csv_.cell(candidate && gene.has_score ? gene.score_text(candidate->diplotype) : "");
        csv_.cell(candidate ? phenotype_name(gene, candidate->diplotype) : "");
        csv_.cell(pkpd::evidence_text(call.evidence));
        csv_.end_row();
    }

    io::CsvWriter csv_;
};

std::string json_list(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts)
        list += (list.empty() ? "" : ", ") + io::json_text(text);
    return "[" + list + "]";
}

class JsonCalls final : public CallWriter {
public:
    explicit JsonCalls(std::ostream& out) : out_(out) {}

    void add(const std::string& subject,
             const pkpd::GeneTable& gene,
             const pkpd::GenotypeCall& call) override {
        if (is_first_) begin();
        out_ << (is_first_ ? "\n" : ",\n")
             << fmt::format("    {{\"subject\": {}, \"gene\": {},\n     \"candidates\": [",
                            io::json_text(subject),
                            io::json_text(gene.name));
        is_first_ = false;
        for (std::size_t c = 0; c < call.candidates.size(); ++c)
            out_ << (c == 0 ? "" : ", ") << candidate_text(gene, call.candidates[c]);
        out_ << "],\n     " << evidence_members(call.evidence) << "}";
    }

    void finish() override {
        if (is_first_) begin();
        out_ << "\n  ]\n}\n";
    }

private:
    void begin() {
        out_ << "{\n  \"gemel\": \"genotype_calls/1\",\n  \"assembly\": \"GRCh38\",\n  "
                "\"calls\": [";
    }

    static std::string candidate_text(const pkpd::GeneTable& gene,
                                      const pkpd::CallCandidate& candidate) {
        const auto score = gene.score(candidate.diplotype);
        return fmt::format("{{\"diplotype\": {}, \"probability\": {}, \"activity_score\": {}, "
                           "\"phenotype\": {}}}",
                           io::json_text(candidate.text),
                           candidate.probability,
                           score ? fmt::format("{}", *score) : "null",
                           io::json_text(phenotype_name(gene, candidate.diplotype)));
    }

    static std::string evidence_members(const pkpd::CallEvidence& evidence) {
        using Phase = pkpd::CallEvidence::Phase;
        const char* phase = evidence.phase == Phase::phased     ? "\"phased\""
                            : evidence.phase == Phase::unphased ? "\"unphased\""
                                                                : "null";
        return fmt::format("\"source\": {}, \"outside\": {}, \"positions\": {}, \"missing\": {}, "
                           "\"phase\": {}, \"notes\": {}",
                           io::json_text(evidence.source),
                           evidence.is_outside,
                           evidence.n_positions,
                           evidence.n_missing,
                           phase,
                           json_list(evidence.notes));
    }

    std::ostream& out_;
    bool is_first_ = true;
};

/// Gene comes after gene; a reader wants a subject's genes together.
class TextCalls final : public CallWriter {
public:
    explicit TextCalls(std::ostream& out) : out_(out) {}

    void add(const std::string& subject,
             const pkpd::GeneTable& gene,
             const pkpd::GenotypeCall& call) override {
        constexpr std::size_t most_shown = 3;
        const auto [at, is_new] = index_.try_emplace(subject, by_subject_.size());
        if (is_new) by_subject_.emplace_back();
        std::vector<Row>& rows = by_subject_[at->second];
        pkpd::CallEvidence evidence = call.evidence;
        if (!evidence.is_outside) evidence.source.clear(); // the file is on the command line
        const std::string words = pkpd::evidence_text(evidence);
        if (!call.is_called()) rows.push_back({subject, gene.name, "no call", "", "", words});
        for (std::size_t c = 0; c < std::min(most_shown, call.candidates.size()); ++c) {
            const pkpd::CallCandidate& candidate = call.candidates[c];
            rows.push_back({c == 0 ? subject : "",
                            c == 0 ? gene.name : "",
                            candidate.text,
                            fmt::format("{:.4g}", candidate.probability),
                            phenotype_name(gene, candidate.diplotype),
                            c == 0 ? words : ""});
        }
        if (call.candidates.size() > most_shown)
            rows.push_back({"",
                            "",
                            fmt::format("and {} more", call.candidates.size() - most_shown),
                            "",
                            "",
                            ""});
    }

    void finish() override {
        std::vector<Row> rows{
            {"subject", "gene", "diplotype", "probability", "phenotype", "evidence"}};
        for (const std::vector<Row>& of_subject : by_subject_)
            rows.insert(rows.end(), of_subject.begin(), of_subject.end());
        out_ << scenarios::text_table(rows, scenarios::Alignment::left);
    }

private:
    using Row = std::vector<std::string>;

    std::ostream& out_;
    std::map<std::string, std::size_t> index_;
    std::vector<std::vector<Row>> by_subject_;
};

} // namespace

std::unique_ptr<CallWriter> csv_calls(std::ostream& out) {
    return std::make_unique<CsvCalls>(out);
}

std::unique_ptr<CallWriter> json_calls(std::ostream& out) {
    return std::make_unique<JsonCalls>(out);
}

std::unique_ptr<CallWriter> text_calls(std::ostream& out) {
    return std::make_unique<TextCalls>(out);
}

} // namespace gemel::cli
