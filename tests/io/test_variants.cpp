#include <gemel/io/variants.hpp>

#include <doctest/doctest.h>
#include <htslib/tbx.h>
#include <htslib/vcf.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace gemel::io {
namespace {

const std::string vcf_text = "##fileformat=VCFv4.2\n"
                             "##reference=GRCh38\n"
                             "##FILTER=<ID=low,Description=\"x\">\n"
                             "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
                             "##FORMAT=<ID=PS,Number=1,Type=Integer,Description=\"Phase set\">\n"
                             "##INFO=<ID=END,Number=1,Type=Integer,Description=\"End\">\n"
                             "##contig=<ID=chr1,length=248956422,assembly=GRCh38>\n"
                             "##contig=<ID=chr10,length=133797422>\n"
                             "##contig=<ID=chrX,length=156040895>\n"
                             "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n"
                             "chr1\t100\trs1\ta\tC,G\t.\tPASS\t.\tGT:PS\t0/1:.\t1|2:100\t./.:.\n"
                             "chr1\t150\t.\tT\t<NON_REF>\t.\t.\tEND=300\tGT\t0/0\t0/0\t./.\n"
                             "chr1\t400\t.\tT\tA\t.\tlow\t.\tGT\t0/0\t0/1\t1/1\n"
                             "chr1\t5000\t.\tT\tA\t.\tPASS\t.\tGT\t0/0\t0/1\t1/1\n"
                             "chr10\t7\t.\tTAT\tT\t.\tPASS\t.\tGT\t0|1\t./1\t1/1\n"
                             "chrX\t9\t.\tC\tT\t.\tPASS\t.\tGT\t0\t1\t0/1\n";

/// A folder of this process alone, removed at the end.
struct VariantFolder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("gemel_variants_" + std::to_string(getpid()));
    VariantFolder() { std::filesystem::create_directories(path); }
    ~VariantFolder() { std::filesystem::remove_all(path); }

    std::filesystem::path write(const char* name, const std::string& text) const {
        std::ofstream(path / name, std::ios::binary) << text;
        return path / name;
    }
};

/// By htslib's own writer: "wz" bgzipped text, "wb" BCF.
std::filesystem::path
converted(const std::filesystem::path& from, const char* ending, const char* mode, bool indexed) {
    const auto to = from.parent_path() / (from.stem().string() + ending);
    htsFile* in = hts_open(from.c_str(), "r");
    htsFile* out = hts_open(to.c_str(), mode);
    bcf_hdr_t* header = bcf_hdr_read(in);
    bcf1_t* record = bcf_init();
    REQUIRE(bcf_hdr_write(out, header) == 0);
    while (bcf_read(in, header, record) == 0)
        REQUIRE(bcf_write(out, header, record) == 0);
    bcf_destroy(record);
    bcf_hdr_destroy(header);
    hts_close(in);
    hts_close(out);
    if (indexed && mode[1] == 'z')
        REQUIRE(tbx_index_build(to.c_str(), 0, &tbx_conf_vcf) == 0);
    else if (indexed)
        REQUIRE(bcf_index_build(to.c_str(), 14) == 0);
    return to;
}

std::string text_of(const VariantRecord& record) {
    std::string text = record.chrom + ":" + std::to_string(record.pos) + "-" +
                       std::to_string(record.end) + (record.is_filtered ? " filtered" : "");
    for (const std::string& allele : record.alleles)
        text += " " + allele;
    for (std::size_t s = 0; s < record.is_phased.size(); ++s) {
        text += " [";
        for (std::size_t c = 0; c < record.n_copies; ++c)
            text += std::to_string(record.genotypes[s * record.n_copies + c]) + ",";
        text += std::string(record.is_phased[s] != 0 ? "|" : "/") +
                std::to_string(record.phase_sets[s]) + "]";
    }
    return text;
}

const std::vector<VariantRegion> some_regions{
    {"chr1", 100, 100}, {"1", 200, 400}, {"chrX", 1, 100}, {"chr10", 9, 9}};

std::vector<std::string> records_of(const std::filesystem::path& file, bool is_indexed = false) {
    sim::DiagnosticList diagnostics;
    const auto variants = open_variants(file, diagnostics);
    INFO(diagnostics.render());
    REQUIRE(variants);
    CHECK(variants->has_index() == is_indexed);
    CHECK(variants->samples() == std::vector<std::string>{"a", "b", "c"});
    std::vector<std::string> records;
    CHECK(variants->read(
        some_regions,
        [&](const VariantRecord& record) { records.push_back(text_of(record)); },
        diagnostics));
    std::ranges::sort(records);
    return records;
}

std::string message_of(const std::filesystem::path& file) {
    sim::DiagnosticList diagnostics;
    const auto variants = open_variants(file, diagnostics);
    if (variants)
        variants->read(
            some_regions, [](const VariantRecord&) {}, diagnostics);
    CHECK_FALSE(diagnostics.empty());
    return diagnostics.render();
}

bool mentions(const std::string& text, const std::string& words) {
    INFO(text);
    return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("variants of regions come as the file has them") {
    const VariantFolder folder;
    const auto records = records_of(folder.write("v.vcf", vcf_text));
    REQUIRE(records.size() == 5); // not chr1:5000
    CHECK(records[0] == "chr10:7-9 TAT T [0,1,|0] [-1,1,/0] [1,1,/0]");
    CHECK(records[1] == "chr1:100-100 A C G [0,1,/0] [1,2,|100] [-1,-1,/0]");
    CHECK(records[2] == "chr1:150-300 T <NON_REF> [0,0,/0] [0,0,/0] [-1,-1,/0]");
    CHECK(records[3] == "chr1:400-400 filtered T A [0,0,/0] [0,1,/0] [1,1,/0]");
    CHECK(records[4] == "chrX:9-9 C T [0,-2,/0] [1,-2,/0] [0,1,/0]");
}

TEST_CASE("compressed, binary and indexed files give the same variants as their text") {
    const VariantFolder folder;
    const auto text = folder.write("v.vcf", vcf_text);
    const auto records = records_of(text);
    CHECK(records_of(converted(text, ".plain.vcf.gz", "wz", false)) == records);
    CHECK(records_of(converted(text, ".vcf.gz", "wz", true), true) == records);
    CHECK(records_of(converted(text, ".plain.bcf", "wb", false)) == records);
    CHECK(records_of(converted(text, ".bcf", "wb", true), true) == records);
    // An index older than its file may be another file's.
    std::filesystem::last_write_time(folder.path / "v.bcf.csi",
                                     std::filesystem::last_write_time(folder.path / "v.bcf") -
                                         std::chrono::hours(1));
    CHECK(records_of(folder.path / "v.bcf", false) == records);
}

TEST_CASE("chromosomes without chr are the same") {
    const VariantFolder folder;
    std::string bare = vcf_text;
    for (auto at = bare.find("chr"); at != std::string::npos; at = bare.find("chr"))
        bare.erase(at, 3);
    const auto text = folder.write("bare.vcf", bare);
    CHECK(records_of(text) == records_of(folder.write("v.vcf", vcf_text)));
    CHECK(records_of(converted(text, ".vcf.gz", "wz", true), true) == records_of(text));
}

TEST_CASE("what is no VCF, or damaged, is told") {
    const VariantFolder folder;
    CHECK(mentions(message_of(folder.path / "none.vcf"), "there is no such file"));
    CHECK(mentions(message_of(folder.path), "this is no file"));
    CHECK(mentions(message_of(folder.write("a.csv", "a,b\n1,2\n")), "neither VCF nor BCF"));
    CHECK(mentions(message_of(folder.write("empty.vcf", "")), "v"));
    const auto whole = converted(folder.write("v.vcf", vcf_text), ".bcf", "wb", false);
    std::filesystem::resize_file(whole, std::filesystem::file_size(whole) - 28); // its last block
    CHECK(mentions(message_of(whole), "the file ends too early"));
    CHECK(mentions(message_of(folder.write("bad.vcf", vcf_text + "chrX\t50\t.\tC\n")),
                   "line 17 is no record of a VCF"));
}

} // namespace gemel::io
