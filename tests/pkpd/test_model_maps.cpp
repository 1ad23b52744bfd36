#include "library.hpp"

#include <cmath>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

double
value(const GenotypeMap& map, const GeneTable& gene, const char* diplotype, bool* is_assumed) {
    const auto parsed = gene.parse_diplotype(diplotype);
    REQUIRE(parsed);
    const auto found = map_value(map, gene, *parsed, gene.score(*parsed), is_assumed);
    REQUIRE(found);
    return *found;
}

GenotypeMap score_map(GenotypeMap::Law law) {
    GenotypeMap map;
    map.by = GenotypeMap::By::activity_score;
    map.law = law;
    map.reference_score = 2.0;
    return map;
}

} // namespace

TEST_CASE("a pair the table names has its published factor, any other the stated assumption") {
    // Oracle: Hamberg 2007 and the `otherwise` table of the file.
    const auto model = library_model("warfarin_hamberg2007");
    const GeneTable& gene = *model->genes.at("CYP2C9");
    const GenotypeMap& map = model->maps[0];
    bool is_assumed = true;
    CHECK(value(map, gene, "*2/*3", &is_assumed) == 0.310);
    CHECK_FALSE(is_assumed);
    CHECK(value(map, gene, "*1/*8", &is_assumed) == 0.685); // score 1.5
    CHECK(is_assumed);
    CHECK(value(map, gene, "*6/*3", &is_assumed) == 0.148); // score 0
    CHECK(is_assumed);
}

TEST_CASE("an allele of unknown function has no value until its activity is drawn") {
    const auto model = library_model("warfarin_hamberg2007");
    const GeneTable& gene = *model->genes.at("CYP2C9");
    const auto diplotype = gene.parse_diplotype("*1/*7");
    REQUIRE(diplotype);
    CHECK_FALSE(map_value(model->maps[0], gene, *diplotype, std::nullopt, nullptr));
    CHECK(map_value(model->maps[0], gene, *diplotype, 1.5, nullptr) == 0.685);
}

TEST_CASE("a map may hold values with a unit") {
    const auto model = library_model("warfarin_hamberg2007");
    const GenotypeMap& map = model->maps[1];
    CHECK(map.unit.text == "mg/L");
    CHECK(value(map, *model->genes.at("VKORC1"), "AG", nullptr) == 3.02);
}

TEST_CASE("VKORC1's A lowers the dose of warfarin: half the inhibition at less of it") {
    // Oracle: EC50 [mg/L] of Hamberg 2007, which falls with each A; a study with the strand the
    // wrong way round would have it rise.
    const auto model = library_model("warfarin_hamberg2007");
    const GenotypeMap& map = model->maps[1];
    const GeneTable& gene = *model->genes.at("VKORC1");
    CHECK(value(map, gene, "GG", nullptr) == 4.61);
    CHECK(value(map, gene, "AA", nullptr) == 2.20);
    CHECK(value(map, gene, "rs9923231 T/T", nullptr) < value(map, gene, "rs9923231 C/C", nullptr));
}

TEST_CASE("laws of the activity score are 1 at the reference and follow their formula") {
    // Oracle: (s/r)^n and [s/(h + s)]/[r/(h + r)] with std::pow; the lanes' power is within 1 ulp.
    const auto gene = library_gene("CYP2C9");
    GenotypeMap power = score_map(GenotypeMap::Law::power);
    power.exponent = 1.41;
    CHECK(value(power, *gene, "*1/*1", nullptr) == 1.0);
    CHECK(value(power, *gene, "*2/*3", nullptr) ==
          doctest::Approx(std::pow(0.25, 1.41)).epsilon(1e-14));
    CHECK(value(power, *gene, "*3/*3", nullptr) == 0.0);
    GenotypeMap emax = score_map(GenotypeMap::Law::emax);
    emax.half = 0.5;
    CHECK(value(emax, *gene, "*1/*1", nullptr) == doctest::Approx(1.0).epsilon(1e-15));
    CHECK(value(emax, *gene, "*1/*3", nullptr) ==
          doctest::Approx((1.0 / 1.5) / (2.0 / 2.5)).epsilon(1e-14));
}
