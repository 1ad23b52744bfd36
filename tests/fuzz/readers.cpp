#include "readers.hpp"

#include <gemel/io/fields.hpp>
#include <gemel/io/toml.hpp>
#include <gemel/pkpd/data_file.hpp>
#include <gemel/pkpd/gene_table.hpp>
#include <gemel/pkpd/genotype_call.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/variant_calls.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace gemel::fuzz {
namespace {

const std::filesystem::path source_folder = GEMEL_SOURCE_DIR;

const io::Library& shipped() {
    static const io::Library library{{source_folder / "library"}};
    return library;
}

/// A file in memory alone.
class MemoryFile {
public:
    explicit MemoryFile(Bytes bytes) : descriptor_(memfd_create("fuzz", 0)) {
        std::size_t n = 0;
        while (n < bytes.size()) {
            const ssize_t written = write(descriptor_, bytes.data() + n, bytes.size() - n);
            if (written <= 0) std::abort();
            n += static_cast<std::size_t>(written);
        }
    }
    ~MemoryFile() { close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

std::shared_ptr<const sim::SourceFile> source_of(Bytes bytes) {
    return std::make_shared<const sim::SourceFile>(
        sim::SourceFile{"fuzz", std::string(bytes.begin(), bytes.end())});
}

const std::vector<std::shared_ptr<const pkpd::GeneTable>>& genes() {
    static const auto loaded = [] {
        std::vector<std::shared_ptr<const pkpd::GeneTable>> tables;
        sim::DiagnosticList diagnostics;
        for (const char* name : {"TPMT", "UGT1A1", "DPYD", "G6PD", "VKORC1"})
            tables.push_back(pkpd::load_gene(shipped().find("genes", name), diagnostics));
        diagnostics.throw_if_any();
        return tables;
    }();
    return loaded;
}

pkpd::CallReading reading() {
    return {genes(), shipped().names("genes"), ""};
}

/// A call that is one sums to 1.
void check_call(const pkpd::GenotypeCall& call) {
    double sum = 0.0;
    for (const pkpd::CallCandidate& candidate : call.candidates)
        sum += candidate.probability;
    const bool is_right = !call.is_called() || (sum > 1.0 - 1e-9 && sum < 1.0 + 1e-9);
    if (!is_right) std::abort();
}

void check_calls(const std::optional<pkpd::GenotypeCalls>& calls,
                 const sim::DiagnosticList& diagnostics) {
    if (calls.has_value() != diagnostics.empty()) std::abort();
    diagnostics.render();
    if (!calls) return;
    for (std::size_t s = 0; s < calls->subjects().size(); ++s)
        for (std::size_t g = 0; g < calls->genes.size(); ++g)
            if (const pkpd::GenotypeCall* call = calls->find(s, g)) check_call(*call);
}

struct DataReading {
    pkpd::DataWords words;
    std::shared_ptr<const pkpd::Model> model;

    DataReading() {
        sim::DiagnosticList diagnostics;
        model = pkpd::load_model(
            source_folder / "tests/data/one_compartment.toml", shipped(), diagnostics);
        const std::string table =
            "[data]\nfile = \"x\"\ncovariates = \"nocb\"\n[data.columns]\n"
            "TIME = { unit = \"h\" }\nAMT = { unit = \"mg\" }\nDV = { output = \"Cp\", unit = "
            "\"mg/L\" }\n";
        const auto file = std::make_shared<const sim::SourceFile>(sim::SourceFile{"words", table});
        const io::TomlView document = io::parse_toml(file, diagnostics);
        io::read_fields(document, diagnostics, [&](io::Fields& fields) {
            io::Field field;
            field.name = "data";
            fields.table(field, [&](io::Fields& row) { describe_data(row, words); });
        });
        diagnostics.throw_if_any();
    }
};

} // namespace

void read_variants(Bytes bytes) {
    const MemoryFile file(bytes);
    sim::DiagnosticList diagnostics;
    pkpd::call_variants(
        file.path(),
        {genes(), {{"EUR", 0.5}, {"AAC", 0.5}}, bytes.size() % 2 == 1},
        [](const std::string&, const pkpd::GeneTable&, const pkpd::GenotypeCall& call) {
            check_call(call);
            evidence_text(call.evidence);
        },
        diagnostics);
    diagnostics.render();
}

void read_pharmcat(Bytes bytes) {
    sim::DiagnosticList diagnostics;
    check_calls(pkpd::read_pharmcat(source_of(bytes), reading(), diagnostics), diagnostics);
}

void read_genotype_table(Bytes bytes) {
    sim::DiagnosticList diagnostics;
    check_calls(pkpd::read_genotype_table(source_of(bytes), reading(), diagnostics), diagnostics);
    const MemoryFile file(bytes);
    sim::DiagnosticList outside;
    check_calls(pkpd::read_outside_calls(file.path(), reading(), outside), outside);
}

void read_toml(Bytes bytes) {
    sim::DiagnosticList diagnostics;
    const bool is_read = io::parse_toml(source_of(bytes), diagnostics).is_set();
    if (is_read != diagnostics.empty()) std::abort();
    diagnostics.render();
    const MemoryFile file(bytes);
    sim::DiagnosticList of_gene;
    pkpd::load_gene(file.path(), of_gene);
    of_gene.render();
}

void read_data_file(Bytes bytes) {
    static const DataReading reading;
    const MemoryFile file(bytes);
    pkpd::DataWords words = reading.words;
    words.file = file.path();
    sim::DiagnosticList diagnostics;
    const auto data = pkpd::read_data(words, *reading.model, diagnostics);
    if ((data != nullptr) != diagnostics.empty()) std::abort();
    diagnostics.render();
}

} // namespace gemel::fuzz
