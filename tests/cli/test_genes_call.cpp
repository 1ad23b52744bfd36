#include "../scenarios/study_runs.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>

/// `gemel genes call` as a user meets it.
namespace gemel::tests {

namespace {

const std::string two_people = "##fileformat=VCFv4.2\n"
                               "##contig=<ID=chr6,length=170805979>\n"
                               "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
                               "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"
                               "chr6\t18130687\t.\tT\tC\t.\tPASS\t.\tGT\t0/1\t0/1\n"
                               "chr6\t18138997\t.\tC\tT\t.\tPASS\t.\tGT\t0/0\t0/1\n";

struct CallRun {
    int code = -1;
    std::string out;
};

CallRun run_program(const std::filesystem::path& folder, const std::string& arguments) {
    const std::string command =
        fmt::format("cd '{}' && '{}' {} 2>&1", folder.string(), GEMEL_PROGRAM, arguments);
    CallRun run;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
        run.out.append(buffer.data(), n);
    run.code = WEXITSTATUS(pclose(pipe));
    return run;
}

CallRun genes_call(const std::filesystem::path& folder, const std::string& arguments) {
    return run_program(folder, "genes call " + arguments);
}

bool is_in(const std::string& text, const std::string& part) {
    INFO(text);
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("genes call writes a table that a study takes as it is") {
    const TemporaryFolder folder;
    write_text(folder.path() / "v.vcf", two_people);
    const CallRun run = genes_call(folder.path(),
                                   "v.vcf --gene TPMT --gene CYP2D6 --ancestry EUR "
                                   "--missing-as-reference -o calls.csv");
    CAPTURE(run.out);
    REQUIRE(run.code == 0);
    const std::string csv = read_text(folder.path() / "calls.csv");
    CHECK(is_in(csv, "subject,gene,diplotype,probability,activity_score,phenotype,evidence\n"));
    CHECK(is_in(csv, "a,TPMT,*1/*3C,1,,Intermediate Metabolizer,\"v.vcf: 2 of 44 positions seen"));
    CHECK(is_in(csv, "b,TPMT,*1/*3A,0.99"));
    CHECK(is_in(csv, "b,TPMT,*3B/*3C,0.000"));
    CHECK(is_in(csv, "a,CYP2D6,no call,,,,"));
    // A study whose patients are those of the file.
    write_text(folder.path() / "study.toml",
               "gemel = \"study/1\"\n[study]\nmodel = \"library:mercaptopurine_hawwa2008\"\n"
               "seed = 1\nduration = \"24 h\"\n[population]\nsize = 10\ncovariates = { BSA = 1 }\n"
               "genotypes = { TPMT = { file = \"calls.csv\" } }\n[regimens.r]\n"
               "doses = [ { dose = \"50 mg\" } ]\n[arms.a]\nregimen = \"r\"\n"
               "[outcomes]\nAUC = \"auc(TGN, 0[h], 24[h])\"\n");
    const CallRun study = run_program(folder.path(), "run study.toml");
    CAPTURE(study.out);
    CHECK(study.code == 0);
    CHECK(is_in(study.out, "TPMT phenotype"));
}

TEST_CASE("outside calls go before those from variants, and say whose they are") {
    const TemporaryFolder folder;
    write_text(folder.path() / "v.vcf", two_people);
    write_text(folder.path() / "outside.csv", "subject,gene,diplotype\nb,CYP2D6,*4/*1x2\n");
    const CallRun run =
        genes_call(folder.path(), "v.vcf --gene CYP2D6 --outside outside.csv --json");
    CHECK(run.code == 0);
    CHECK(is_in(run.out, "{\"diplotype\": \"*1x2/*4\", \"probability\": 1"));
    CHECK(is_in(run.out, "\"outside\": true"));
    write_text(folder.path() / "bare.tsv", "CYP2D6\t*4/*1x2\n");
    const CallRun whose = genes_call(folder.path(), "v.vcf --gene CYP2D6 --outside bare.tsv");
    CHECK(whose.code == 2);
    CHECK(is_in(whose.out, "the calls do not say whose they are, and there are 2 subjects"));
    write_text(folder.path() / "c.csv", "subject,gene,diplotype\nc,CYP2D6,*4/*4\n");
    CHECK(is_in(genes_call(folder.path(), "v.vcf --gene CYP2D6 --outside c.csv").out,
                "'c' is no sample of the file of variants"));
    CHECK(genes_call(folder.path(), "v.vcf --outside c.csv -o c.csv").code == 1);
    CHECK(genes_call(folder.path(), "v.vcf -o v.vcf").code == 1);
}

TEST_CASE("wrong words of genes call are told, and a wrong file writes nothing") {
    const TemporaryFolder folder;
    write_text(folder.path() / "v.vcf", two_people);
    const CallRun run = genes_call(folder.path(), "v.vcf --gene TPMTT --ancestry EUX");
    CHECK(run.code == 2);
    CHECK(is_in(run.out, "did you mean 'TPMT'?"));
    CHECK(is_in(run.out, "no gene has frequencies of 'EUX'"));
    CHECK(is_in(genes_call(folder.path(), "v.vcf --ancestry EUR=0.5,AAC=0.4").out, "sum to 0.9"));
    write_text(folder.path() / "w.vcf",
               two_people.substr(0, 21) + "##contig=<ID=chr1,length=249250621>\n" +
                   two_people.substr(21));
    const CallRun wrong = genes_call(folder.path(), "w.vcf -o w.csv");
    CHECK(wrong.code == 2);
    CHECK(is_in(wrong.out, "the file is on GRCh37"));
    CHECK_FALSE(std::filesystem::exists(folder.path() / "w.csv"));
}

} // namespace gemel::tests
