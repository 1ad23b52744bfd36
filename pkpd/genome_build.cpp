#include "genome_build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace gemel::pkpd {
namespace {

struct ChromosomeLengths {
    std::string_view name;
    std::int64_t grch38, grch37;
};

/// Genome Reference Consortium, GRCh38 (GCA_000001405.15) and GRCh37 (GCA_000001405.1).
constexpr std::array<ChromosomeLengths, 23> chromosome_lengths{{
    {"1", 248956422, 249250621},  {"2", 242193529, 243199373},  {"3", 198295559, 198022430},
    {"4", 190214555, 191154276},  {"5", 181538259, 180915260},  {"6", 170805979, 171115067},
    {"7", 159345973, 159138663},  {"8", 145138636, 146364022},  {"9", 138394717, 141213431},
    {"10", 133797422, 135534747}, {"11", 135086622, 135006516}, {"12", 133275309, 133851895},
    {"13", 114364328, 115169878}, {"14", 107043718, 107349540}, {"15", 101991189, 102531392},
    {"16", 90338345, 90354753},   {"17", 83257441, 81195210},   {"18", 80373285, 78077248},
    {"19", 58617616, 59128983},   {"20", 64444167, 63025520},   {"21", 46709983, 48129895},
    {"22", 50818468, 51304566},   {"X", 156040895, 155270560},
}};

const ChromosomeLengths* lengths_of(std::string_view name) {
    if (name.starts_with("chr")) name.remove_prefix(3);
    const auto found = std::ranges::find(chromosome_lengths, name, &ChromosomeLengths::name);
    return found == chromosome_lengths.end() ? nullptr : &*found;
}

std::string lower_case(std::string text) {
    std::ranges::transform(
        text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool names_any(const std::string& text, std::initializer_list<const char*> words) {
    const std::string lower = lower_case(text);
    return std::ranges::any_of(
        words, [&](const char* word) { return lower.find(word) != std::string::npos; });
}

} // namespace

bool header_says_grch38(const io::VariantFile& file,
                        const sim::SourceSpan& place,
                        sim::DiagnosticList& diagnostics) {
    bool is_said = false;
    const std::string help = "lift the variants over to GRCh38, or call them on it";
    for (const io::VariantContig& contig : file.contigs()) {
        const ChromosomeLengths* known = lengths_of(contig.name);
        if (known == nullptr || contig.length == 0) continue;
        is_said = true;
        if (contig.length == known->grch38) continue;
        diagnostics.add(
            place,
            fmt::format("the file is {}: its header gives {} a length of {}; on GRCh38, which is "
                        "needed, it has {}",
                        contig.length == known->grch37 ? "on GRCh37" : "not on GRCh38",
                        contig.name,
                        contig.length,
                        known->grch38),
            help);
        return true; // one contig tells
    }
    for (const std::string& words : file.assemblies()) {
        const bool is_38 = names_any(words, {"grch38", "hg38", "38d1"});
        is_said = is_said || is_38;
        if (is_38 || !names_any(words, {"grch37", "hg19", "b37", "hs37", "hg18", "chm13", "t2t"}))
            continue;
        diagnostics.add(
            place,
            fmt::format("the file is not on GRCh38, which is needed: its header says '{}'", words),
            help);
        return true;
    }
    return is_said;
}

} // namespace gemel::pkpd
