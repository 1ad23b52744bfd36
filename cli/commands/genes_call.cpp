#include "call_output.hpp"
#include "commands.hpp"
#include "program.hpp"
#include "table_output.hpp"

#include <gemel/pkpd/variant_calls.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <stdexcept>

namespace gemel::cli {

namespace {

struct CallOptions {
    std::string file, ancestry, outside, output;
    std::vector<std::string> genes;
    bool missing_as_reference = false, json = false;
};

std::vector<std::shared_ptr<const pkpd::GeneTable>>
genes_to_call(const std::vector<std::string>& names, sim::DiagnosticList& diagnostics) {
    const io::Library found = library();
    std::vector<std::shared_ptr<const pkpd::GeneTable>> genes;
    for (const std::string& name : names.empty() ? found.names("genes") : names) {
        const auto file = found.find("genes", name);
        if (file.empty())
            diagnostics.add({},
                            fmt::format("the library has no gene '{}'", name),
                            sim::suggest(name, found.names("genes")));
        else if (auto gene = pkpd::load_gene(file, diagnostics))
            genes.push_back(std::move(gene));
    }
    return genes;
}

/// A group that no gene has is misspelt; one that some genes lack is told with their calls.
void check_groups(const pkpd::VariantCalling& calling, sim::DiagnosticList& diagnostics) {
    std::set<std::string> known;
    for (const auto& gene : calling.genes)
        for (const pkpd::AlleleFrequencies& group : gene->frequencies)
            known.insert(group.group);
    for (const auto& [group, share] : calling.ancestry)
        if (!known.contains(group))
            diagnostics.add({},
                            fmt::format("--ancestry: no gene has frequencies of '{}'", group),
                            sim::suggest(group, std::vector(known.begin(), known.end())));
}

pkpd::VariantCalling calling_of(const CallOptions& options) {
    sim::DiagnosticList diagnostics;
    pkpd::VariantCalling calling;
    calling.missing_as_reference = options.missing_as_reference;
    calling.genes = genes_to_call(options.genes, diagnostics);
    if (!options.ancestry.empty()) {
        std::string why;
        if (const auto shares = pkpd::parse_shares(options.ancestry, why))
            calling.ancestry = *shares;
        else
            diagnostics.add({}, "--ancestry: " + why, "write EUR, or EUR=0.5,AAC=0.5");
        check_groups(calling, diagnostics);
    }
    diagnostics.throw_if_any();
    return calling;
}

/// Calls of another program, which go before those from variants.
class OutsideCalls {
public:
    OutsideCalls(const std::string& file, const pkpd::VariantCalling& calling) {
        if (file.empty()) return;
        sim::DiagnosticList diagnostics;
        pkpd::CallReading reading;
        reading.genes = calling.genes;
        reading.passed_over = library().names("genes");
        calls_ = pkpd::read_outside_calls(file, reading, diagnostics);
        diagnostics.throw_if_any();
        file_ = file;
    }

    const pkpd::GenotypeCall* find(const std::string& subject, const pkpd::GeneTable& gene) {
        if (!calls_) return nullptr;
        seen_.insert(subject);
        auto row = calls_->find_subject(subject);
        if (!row) row = calls_->find_subject(pkpd::only_subject);
        return row ? calls_->find(*row, *calls_->find_gene(gene.name)) : nullptr;
    }

    /// Outside calls of nobody in the file, or of several at once, are a mistake.
    void check_subjects() const {
        if (!calls_) return;
        sim::DiagnosticList diagnostics;
        const auto file = std::make_shared<const sim::SourceFile>(sim::SourceFile{file_, {}});
        for (const std::string& subject : calls_->subjects())
            if (subject == pkpd::only_subject && seen_.size() > 1)
                diagnostics.add({file, 0, 0, 1},
                                fmt::format("the calls do not say whose they are, and there are {} "
                                            "subjects",
                                            seen_.size()),
                                "write a table with the columns subject, gene, diplotype");
            else if (subject != pkpd::only_subject && !seen_.contains(subject))
                diagnostics.add({file, 0, 0, 1},
                                fmt::format("'{}' is no sample of the file of variants", subject),
                                sim::suggest(subject, std::vector(seen_.begin(), seen_.end())));
        diagnostics.throw_if_any();
    }

private:
    std::string file_;
    std::optional<pkpd::GenotypeCalls> calls_;
    std::set<std::string> seen_;
};

int call(const CallOptions& options) {
    const pkpd::VariantCalling calling = calling_of(options);
    OutsideCalls outside(options.outside, calling);
    std::error_code error;
    if (!options.output.empty() &&
        std::filesystem::equivalent(options.outside, options.output, error))
        throw std::runtime_error(
            fmt::format("{} holds the outside calls; choose another -o", options.output));
    return write_table(options.file, options.output, [&](std::ostream& out) {
        const auto writer = options.json             ? json_calls(out)
                            : options.output.empty() ? text_calls(out)
                                                     : csv_calls(out);
        sim::DiagnosticList diagnostics;
        pkpd::call_variants(
            options.file,
            calling,
            [&](const std::string& subject,
                const pkpd::GeneTable& gene,
                const pkpd::GenotypeCall& called) {
                const pkpd::GenotypeCall* given = outside.find(subject, gene);
                writer->add(subject, gene, given != nullptr ? *given : called);
            },
            diagnostics);
        diagnostics.throw_if_any();
        outside.check_subjects();
        writer->finish();
    });
}

} // namespace

void add_genes_call(CLI::App& genes, Action& action) {
    auto options = std::make_shared<CallOptions>();
    CLI::App* command = genes.add_subcommand("call", "Call genotypes from a VCF or BCF on GRCh38");
    command->add_option("FILE", options->file, "variants: .vcf, .vcf.gz, .bcf")->required();
    command->add_option(
        "--gene", options->genes, "call this gene; as often as needed (default all)");
    command->add_option("--ancestry",
                        options->ancestry,
                        "weigh alternatives by the frequencies of EUR, or EUR=0.5,AAC=0.5");
    command->add_option("--outside",
                        options->outside,
                        "calls of another program, which go first: gene and diplotype");
    command->add_flag("--missing-as-reference",
                      options->missing_as_reference,
                      "positions absent from the file are the reference's");
    command->add_option("-o,--output", options->output, "write the calls as CSV");
    command->add_flag("--json", options->json, "as JSON instead");
    command->callback([options, &action] { action = [options] { return call(*options); }; });
}

} // namespace gemel::cli
