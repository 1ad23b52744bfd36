#include "pkpd/vcf_text.hpp"

#include <doctest/doctest.h>

namespace gemel::pkpd {
namespace {

// TPMT on GRCh38: rs1142345 T>C (*3C) and rs1800460 C>T (*3B); both are *3A.
constexpr std::int64_t rs1142345 = 18130687, rs1800460 = 18138997, rs1800462 = 18143724;

bool notes_have(const GenotypeCall& call, const std::string& words) {
    const std::string text = evidence_text(call.evidence);
    INFO(text);
    return text.find(words) != std::string::npos;
}

std::set<std::string> texts_of(const GenotypeCall& call) {
    std::set<std::string> texts;
    for (const CallCandidate& candidate : call.candidates)
        texts.insert(candidate.text);
    return texts;
}

} // namespace

TEST_CASE(
    "two changes of unknown phase leave both diplotypes, weighed by the group's frequencies") {
    const std::string text = vcf_of("TPMT", {{rs1142345, "0/1"}, {rs1800460, "0/1"}});
    // CPIC, EUR: *1 0.953431, *3A 0.0338404, *3B 0.00283418, *3C 0.00492183; both pairs are of
    // different alleles, so that the factor 2 cancels: 2313 to 1.
    const auto gene = library_gene("TPMT");
    const std::vector<double>& p = gene->group("EUR")->frequencies;
    const auto of = [&](const char* allele) {
        return p[static_cast<std::size_t>(gene->find_allele(allele))];
    };
    const double cis = of("*1") * of("*3A"), trans = of("*3B") * of("*3C");
    REQUIRE(cis / trans == doctest::Approx(0.953431 * 0.0338404 / (0.00283418 * 0.00492183)));
    const VcfCalls calls = call_vcf(text, {"TPMT"}, {.ancestry = {{"EUR", 1.0}}});
    const GenotypeCall& call = calls.of("s", "TPMT");
    REQUIRE(call.candidates.size() == 2);
    CHECK(call.candidates[0].text == "*1/*3A");
    CHECK(call.candidates[0].probability == doctest::Approx(cis / (cis + trans)).epsilon(1e-14));
    CHECK(call.candidates[1].text == "*3B/*3C");
    CHECK(call.evidence.phase == CallEvidence::Phase::unphased);
    CHECK(notes_have(call, "alternatives weighed by the frequencies of EUR"));
    // Without an ancestry nothing tells them apart, and that is said.
    const VcfCalls plain = call_vcf(text, {"TPMT"});
    CHECK(plain.text("s", "TPMT") == "*1/*3A 0.5, *3B/*3C 0.5");
    CHECK(notes_have(plain.of("s", "TPMT"), "equally probable: no ancestry is given"));
}

TEST_CASE("an admixed genome has the mixed frequencies of its groups") {
    const std::string text = vcf_of("TPMT", {{rs1142345, "0/1"}, {rs1800460, "0/1"}});
    const auto gene = library_gene("TPMT");
    const auto mixed = [&](const char* allele) {
        const auto a = static_cast<std::size_t>(gene->find_allele(allele));
        return 0.25 * gene->group("EUR")->frequencies[a] +
               0.75 * gene->group("AAC")->frequencies[a];
    };
    const double cis = mixed("*1") * mixed("*3A"), trans = mixed("*3B") * mixed("*3C");
    const VcfCalls calls = call_vcf(text, {"TPMT"}, {.ancestry = {{"EUR", 0.25}, {"AAC", 0.75}}});
    CHECK(calls.of("s", "TPMT").candidates[0].probability ==
          doctest::Approx(cis / (cis + trans)).epsilon(1e-14));
}

TEST_CASE("phase sets hold within themselves") {
    const auto of = [](const std::string& first, const std::string& second) {
        std::string text = vcf_header({"s"});
        for (const VcfSite& site : vcf_sites(*library_gene("TPMT")))
            text += site.columns("GT:PS") + "\t" +
                    (site.pos == rs1142345   ? first
                     : site.pos == rs1800460 ? second
                                             : "0/0:.") +
                    "\n";
        return call_vcf(text, {"TPMT"}).text("s", "TPMT");
    };
    CHECK(of("0|1:7", "0|1:7") == "*1/*3A");
    CHECK(of("0|1:7", "1|0:7") == "*3B/*3C");
    CHECK(of("0|1:7", "1|0:8") == "*1/*3A 0.5, *3B/*3C 0.5");
    CHECK(of("0|1:.", "1|0:.") == "*3B/*3C"); // no sets: one for the whole file
    CHECK(of("0|1:7", "0/1:.") == "*1/*3A 0.5, *3B/*3C 0.5");
}

TEST_CASE("a position that is not seen widens the call to alleles that differ there alone") {
    const std::string without = vcf_of("TPMT", {{rs1142345, "0/1"}, {rs1800460, ""}});
    const VcfCalls calls = call_vcf(without, {"TPMT"});
    // *1 and *3B differ at rs1800460 alone, as do *3A and *3C.
    CHECK(texts_of(calls.of("s", "TPMT")) ==
          std::set<std::string>{"*1/*3A", "*1/*3C", "*3A/*3B", "*3B/*3C"});
    CHECK(calls.of("s", "TPMT").evidence.n_missing == 1);
    CHECK(call_vcf(vcf_of("TPMT", {{rs1142345, "0/1"}, {rs1800460, "./."}}), {"TPMT"})
              .text("s", "TPMT") == calls.text("s", "TPMT"));
    // Half of a genotype narrows it.
    CHECK(texts_of(call_vcf(vcf_of("TPMT", {{rs1142345, "0/1"}, {rs1800460, "./1"}}), {"TPMT"})
                       .of("s", "TPMT")) == std::set<std::string>{"*1/*3A", "*3A/*3B", "*3B/*3C"});
    const VcfCalls taken = call_vcf(without, {"TPMT"}, {.missing_as_reference = true});
    CHECK(taken.text("s", "TPMT") == "*1/*3C");
    CHECK(notes_have(taken.of("s", "TPMT"), "1 absent from the file taken as the reference"));
    // "./." is not absent.
    CHECK(call_vcf(vcf_of("TPMT", {{rs1142345, "0/1"}, {rs1800460, "./."}}),
                   {"TPMT"},
                   {.missing_as_reference = true})
              .of("s", "TPMT")
              .candidates.size() == 4);
}

TEST_CASE("adding information never adds diplotypes") {
    // Sites are blanked one after the other, in a fixed shuffled order; phase is given up last.
    const std::map<std::string, std::map<std::int64_t, std::string>> people{
        {"TPMT", {{rs1142345, "0|1"}, {rs1800460, "0|1"}}},
        {"CYP2C19", {{94775367, "0|1"}, {94781859, "0|1"}, {94842866, "1|1"}, {94761900, "1|0"}}}};
    for (const auto& [gene, genotypes] : people) {
        std::map<std::int64_t, std::string> now = genotypes;
        std::set<std::string> before = texts_of(call_vcf(vcf_of(gene, now), {gene}).of("s", gene));
        REQUIRE_FALSE(before.empty());
        const auto widen = [&](std::int64_t pos, const std::string& genotype) {
            now[pos] = genotype;
            const auto after = texts_of(call_vcf(vcf_of(gene, now), {gene}).of("s", gene));
            CHECK(std::ranges::includes(after, before));
            before = after;
        };
        for (const auto& [pos, genotype] : genotypes)
            widen(pos, genotype == "1|1" ? "1/1" : "0/1");
        std::uint32_t step = 0;
        const auto sites = vcf_sites(*library_gene(gene));
        for (std::size_t i = 0; i < sites.size(); i += 3)
            widen(sites[(i * 7 + step++) % sites.size()].pos, i % 2 == 0 ? "./." : "");
    }
}

TEST_CASE("a combination that no alleles have is a no-call with what is left over") {
    const VcfCalls calls = call_vcf(
        vcf_of("TPMT", {{rs1142345, "1/1"}, {rs1800460, "0/1"}, {rs1800462, "1/1"}}), {"TPMT"});
    CHECK(calls.text("s", "TPMT") ==
          "no call: no allele has rs1800462 C>G and rs1142345 T>C beside *2/*3A");
    // A base that no allele has.
    std::string other = vcf_of("TPMT", {{rs1800462, ""}});
    other += "chr6\t18143724\t.\tC\tT\t.\tPASS\t.\tGT\t0/1\n";
    CHECK(call_vcf(other, {"TPMT"}).text("s", "TPMT") ==
          "no call: no allele has another change at rs1800462");
}

TEST_CASE("records written in other ways are the same") {
    const std::string sites = vcf_of("TPMT", {{rs1142345, ""}, {rs1800460, "0/1"}});
    const auto call_with = [&](const std::string& lines) {
        return call_vcf(sites + lines, {"TPMT"}).text("s", "TPMT");
    };
    const std::string both = "*1/*3A 0.5, *3B/*3C 0.5";
    // One record of both changes, records split by allele, neighbouring bases in one record.
    CHECK(call_with("chr6\t18130687\t.\tT\tC,G\t.\tPASS\t.\tGT\t0/1\n") == both);
    CHECK(call_with("chr6\t18130687\t.\tT\tG\t.\tPASS\t.\tGT\t0/0\n"
                    "chr6\t18130687\t.\tT\tC\t.\tPASS\t.\tGT\t0/1\n") == both);
    CHECK(call_with("chr6\t18130686\t.\tAT\tAC\t.\tPASS\t.\tGT\t0/1\n") == both);
    CHECK(call_with("chr6\t18130687\t.\tT\tC,<NON_REF>\t.\tPASS\t.\tGT\t0/1\n") == both);
    // Bare chromosome names.
    std::string bare = vcf_header({"s"}, "") + "6\t18130687\t.\tT\tC\t.\t.\t.\tGT\t1/1\n";
    CHECK(call_vcf(bare, {"TPMT"}, {.missing_as_reference = true}).text("s", "TPMT") == "*3C/*3C");
    // What fails a filter, and what a deletion spans, is not seen.
    const GenotypeCall failed = call_vcf(sites + "chr6\t18130687\t.\tT\tC\t.\tlow\t.\tGT\t0/1\n",
                                         {"TPMT"},
                                         {.missing_as_reference = true})
                                    .of("s", "TPMT");
    CHECK(notes_have(failed, "positions that failed a filter are not seen"));
    CHECK(failed.candidates.size() == 6); // {*1, *3C, *41} with {*3B, *3A}
    CHECK(call_vcf(sites + "chr6\t18130687\t.\tT\tC,*\t.\tPASS\t.\tGT\t2/1\n", {"TPMT"})
              .of("s", "TPMT")
              .candidates.size() == 4); // {*1, *3C, *41} with *3A, or *3C with *3B
    // A whole deleted gene is no allele of this one.
    CHECK(call_vcf(sites + "chr6\t18130000\t.\tT\t<DEL>\t.\tPASS\tEND=18131000\tGT\t0/1\n"
                           "chr6\t18130687\t.\tT\tC\t.\tPASS\t.\tGT\t0/0\n",
                   {"TPMT"})
              .text("s", "TPMT")
              .starts_with("no call"));
}

TEST_CASE("blocks of a gVCF say that positions were looked at") {
    std::string text = vcf_header({"s", "t"});
    text += "chr6\t18100000\t.\tA\t<NON_REF>\t.\t.\tEND=18130686\tGT\t0/0\t0/0\n"
            "chr6\t18130687\t.\tT\tC,<NON_REF>\t.\tPASS\t.\tGT\t0/1\t0/2\n"
            "chr6\t18130688\t.\tA\t<NON_REF>\t.\t.\tEND=18200000\tGT\t0/0\t0/0\n";
    const VcfCalls calls = call_vcf(text, {"TPMT"});
    CHECK(calls.text("s", "TPMT") == "*1/*3C");
    CHECK(calls.of("s", "TPMT").evidence.n_missing == 0);
    CHECK(calls.of("t", "TPMT").candidates.size() > 1); // an allele that is not listed
}

TEST_CASE("indels are the same wherever their repeat is cut") {
    // UGT1A1 *28 is one TA more before position 233760234 of C(AT)…; *36 one less, *37 two more.
    const auto indel = [](const std::string& columns, const std::string& genotype = "0/1") {
        std::string text = vcf_of("UGT1A1", {{233760233, ""}});
        // vcf_of writes by position; the lines before and behind it are of other places.
        const auto at = text.find("chr2\t233760498");
        return text.insert(at, "chr2\t" + columns + "\t.\tPASS\t.\tGT\t" + genotype + "\n");
    };
    const auto called = [&](const std::string& columns) {
        return call_vcf(indel(columns), {"UGT1A1"}).text("s", "UGT1A1");
    };
    CHECK(called("233760233\t.\tCAT\tCATAT") == "*1/*28");
    CHECK(called("233760233\t.\tC\tCAT") == "*1/*28");
    CHECK(called("233760234\t.\tA\tATA") == "*1/*28");   // one base to the right
    CHECK(called("233760235\t.\tT\tTAT") == "*1/*28");   // two
    CHECK(called("233760234\t.\tAT\tATAT") == "*1/*28"); // not trimmed
    CHECK(called("233760233\t.\tC\tCATAT") == "*1/*37");
    CHECK(called("233760233\t.\tCAT\tC") == "*1/*36");
    CHECK(called("233760235\t.\tTAT\tT") == "*1/*36");
    CHECK(called("233760233\t.\tC\tCATATAT").starts_with("no call: no allele has another change"));
    // Far to the right the bases between are not known: nothing is guessed.
    const GenotypeCall unsure =
        call_vcf(indel("233760245\t.\tT\tTAT"), {"UGT1A1"}, {.missing_as_reference = true})
            .of("s", "UGT1A1");
    CHECK(unsure.candidates.size() > 1);
    CHECK(notes_have(unsure, "the indel at chr2:233760245 may be rs3064744"));
    // With *80 on the same chromosome, the combined allele.
    const std::string tagged = indel("233760233\t.\tC\tCAT", "1/1");
    CHECK(call_vcf(tagged, {"UGT1A1"}).text("s", "UGT1A1") == "*28/*28");
}

TEST_CASE("the genome's own sequence need not be the reference allele, and strands are forward") {
    // GRCh38 carries CYP2C19 *38; *1 has rs3758581 G.
    CHECK(call_vcf(vcf_of("CYP2C19", {}), {"CYP2C19"}).text("s", "CYP2C19") == "*38/*38");
    CHECK(call_vcf(vcf_of("CYP2C19", {{94842866, "1/1"}}), {"CYP2C19"}).text("s", "CYP2C19") ==
          "*1/*1");
    // rs9923231 C>T is -1639 G>A.
    CHECK(call_vcf(vcf_of("VKORC1", {{31096368, "0/1"}}), {"VKORC1"}).text("s", "VKORC1") == "G/A");
}

TEST_CASE("a variant that is not seen in a gene held per variant is weighed by its frequency") {
    // Two chromosomes, each with rs3918290 (*2A) by its frequency q, whatever else is there.
    const auto gene = library_gene("DPYD");
    const double q =
        gene->group("EUR")->frequencies[static_cast<std::size_t>(gene->find_allele("*2A"))];
    const std::int64_t rs3918290 =
        gene->alleles[static_cast<std::size_t>(gene->find_allele("*2A"))].variants[0].pos;
    const std::string text = vcf_of("DPYD", {{rs3918290, ""}});
    const VcfCalls calls = call_vcf(text, {"DPYD"}, {.ancestry = {{"EUR", 1.0}}});
    const GenotypeCall& call = calls.of("s", "DPYD");
    REQUIRE(call.candidates.size() == 3);
    CHECK(call.candidates[0].text == "Reference/Reference");
    CHECK(call.candidates[0].probability == doctest::Approx((1 - q) * (1 - q)).epsilon(1e-14));
    CHECK(call.candidates[1].probability == doctest::Approx(2 * q * (1 - q)).epsilon(1e-12));
    CHECK(call.candidates[2].probability == doctest::Approx(q * q).epsilon(1e-10)); // 1 − sum
    CHECK(call_vcf(text, {"DPYD"}).text("s", "DPYD").starts_with("no call: 1 of 83 variants"));
}

TEST_CASE("who has one copy is never guessed from a file without records") {
    const std::string text =
        vcf_header({"s", "t"}) + "chrX\t154535277\t.\tT\tC\t.\t.\t.\tGT\t1\t.\n";
    const VcfCalls calls = call_vcf(text, {"G6PD", "TPMT"}, {.missing_as_reference = true});
    CHECK(calls.text("s", "G6PD") == "A/Y");
    CHECK(calls.text("t", "G6PD") == "no call: none of the gene's positions is seen");
    CHECK(calls.text("t", "TPMT") == "*1/*1");
}

TEST_CASE("a variant of two changes is told from the one it contains") {
    // HapB3 is c.1129-5923C>G (rs75017182) with c.1236G>A (rs56038477), which is no variant alone.
    constexpr std::int64_t rs56038477 = 97573863, rs75017182 = 97579893;
    const auto called = [&](const std::string& inner, const std::string& outer) {
        return call_vcf(vcf_of("DPYD", {{rs56038477, inner}, {rs75017182, outer}}), {"DPYD"})
            .text("s", "DPYD");
    };
    const std::string both = "c.1129-5923C>G, c.1236G>A (HapB3)", one = "c.1129-5923C>G";
    CHECK(called("0/1", "0/1") == "Reference/" + both);
    CHECK(called("0/0", "0/1") == "Reference/" + one);
    CHECK(called("0/1", "1/1") == one + "/" + both);
    CHECK(called("0/1", "0/0") == "no call: no variant of the gene has rs56038477 C>T");
    // The other chromosome may have the one change alone, and frequencies tell how likely.
    CHECK(called("0/1", "").starts_with("no call: 1 of 83 variants"));
    CHECK(call_vcf(vcf_of("DPYD", {{rs56038477, "0/1"}, {rs75017182, ""}}),
                   {"DPYD"},
                   {.ancestry = {{"EUR", 1.0}}})
              .of("s", "DPYD")
              .candidates[0]
              .text == "Reference/" + both);
    CHECK(called("", "0/1") ==
          fmt::format("Reference/{} 0.5, Reference/{} 0.5", one, both)); // either
}

TEST_CASE("genes that short variants do not tell are no-calls with the reason") {
    const VcfCalls calls = call_vcf(vcf_of("TPMT", {}), {"CYP2D6", "HLA-B", "TPMT", "NAT2"});
    CHECK(calls.text("s", "CYP2D6").find("give an outside call") != std::string::npos);
    CHECK(calls.text("s", "HLA-B") ==
          "no call: its alleles are typed, not called from short variants");
    CHECK(calls.text("s", "NAT2") == "no call: none of the gene's positions is seen");
    CHECK(calls.text("s", "TPMT") == "*1/*1");
}

TEST_CASE("files that are not on GRCh38 are refused") {
    const auto told = [](const std::string& header, const std::string& line) {
        return call_vcf(vcf_header({"s"}, header) + line + "\n", {"TPMT"}).messages;
    };
    const std::string record = "chr6\t18130687\t.\tT\tC\t.\t.\t.\tGT\t0/1";
    CHECK(told("##contig=<ID=chr1,length=249250621>\n", record).find("the file is on GRCh37") !=
          std::string::npos);
    CHECK(told("##contig=<ID=1,length=248387328>\n", record).find("not on GRCh38") !=
          std::string::npos);
    CHECK(told("##reference=file:///ref/human_g1k_v37_b37.fasta\n", record)
              .find("its header says 'file:///ref/human_g1k_v37_b37.fasta'") != std::string::npos);
    CHECK(told("##contig=<ID=chr6,assembly=hg19>\n", record).find("hg19") != std::string::npos);
    // A header that says nothing: by the bases.
    CHECK(told("", record) == "");
    CHECK(told("", "chr6\t18130687\t.\tG\tC\t.\t.\t.\tGT\t0/1")
              .find("REF has G at chr6:18130687, where GRCh38 has T") != std::string::npos);
    CHECK(told("", "chr6\t1\t.\tG\tC\t.\t.\t.\tGT\t0/1").find("does not say on which genome") !=
          std::string::npos);
    // A gene's positions in two parts of the file.
    CHECK(call_vcf(vcf_header({"s"}) + "chr6\t18138997\t.\tC\tT\t.\t.\t.\tGT\t0/1\n"
                                       "chr2\t233760498\t.\tG\tA\t.\t.\t.\tGT\t0/1\n"
                                       "chr6\t18130687\t.\tT\tC\t.\t.\t.\tGT\t0/1\n",
                   {"TPMT", "UGT1A1"})
              .messages.find("the file is not sorted: chr6:18130687") != std::string::npos);
}

} // namespace gemel::pkpd
