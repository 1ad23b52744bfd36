#include <gemel/sim/units.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace gemel::sim;

namespace {

Unit unit(std::string_view text) {
    std::string why;
    const auto parsed = parse_unit(text, &why);
    REQUIRE_MESSAGE(parsed, std::string(text) << ": " << why);
    return *parsed;
}

std::string why_not(std::string_view text) {
    std::string why;
    CHECK_FALSE(parse_unit(text, &why));
    return why;
}

double factor(std::string_view from, std::string_view to) {
    return conversion_factor(unit(from), unit(to));
}

} // namespace

TEST_CASE("conversions that are exact on paper are exact") {
    // Closed form: the nearest double to the factor, which is what a literal is.
    CHECK(factor("ng", "kg") == 1e-12);
    CHECK(factor("kg", "ng") == 1e12);
    CHECK(factor("h", "h") == 1.0);
    CHECK(factor("d", "h") == 24.0);
    CHECK(factor("h", "d") == 1.0 / 24.0);
    CHECK(factor("wk", "d") == 7.0);
    CHECK(factor("a", "d") == 365.25);
    CHECK(factor("mo", "d") == 30.4375);
    CHECK(factor("s", "h") == 1.0 / 3600.0);
    CHECK(factor("ng/mL", "ug/L") == 1.0);
    CHECK(factor("mg/dL", "mg/L") == 10.0);
    CHECK(factor("mL/min", "L/h") == 0.06);
    CHECK(factor("umol/L", "nmol/mL") == 1.0);
    CHECK(factor("m2", "cm2") == 1e4);
    CHECK(factor("cm3", "mL") == 1.0);
    CHECK(factor("mg/kg", "1") == 1e-6);
    CHECK(factor("m[IU]/L", "U/mL") == 1e-6);
    CHECK(factor("10*9/L", "1/mL") == 1e6);
    CHECK(factor("mm[Hg]", "kg/m/s2") == doctest::Approx(133.322).epsilon(1e-15)); // UCUM
}

TEST_CASE("the usual spellings are one unit, written as UCUM writes it") {
    for (const char* spelling : {"ug", "mcg", "µg", "μg"})
        CHECK(unit(spelling).text == "ug");
    for (const char* spelling : {"h", "hr", "hour", "hours"})
        CHECK(unit(spelling).text == "h");
    for (const char* spelling : {"mL", "ml"})
        CHECK(unit(spelling).text == "mL");
    CHECK(unit("year").text == "a");
    CHECK(unit("yr").text == "a");
    CHECK(unit("day").text == "d");
    CHECK(unit("week").text == "wk");
    CHECK(unit("IU/mL").text == "[IU]/mL");
    CHECK(unit("[IU]").text == "[IU]");
    CHECK(unit("/h").text == "1/h");
    CHECK(unit("1/h").text == "1/h");
    CHECK(unit("h-1").text == "1/h");
    CHECK(unit("h^-1").text == "1/h");
    CHECK(unit("h⁻¹").text == "1/h");
    CHECK(unit("m^2").text == "m2");
    CHECK(unit("m²").text == "m2");
    CHECK(unit("mg·h/L").text == "mg.h/L");
    CHECK(unit("mg*h/L").text == "mg.h/L");
    CHECK(unit("mg / L").text == "mg/L");
    CHECK(unit("kg^0.75").text == "kg^0.75");
    CHECK(unit("1").text == "1");
    CHECK(unit("mg/mg").text == "1");
}

TEST_CASE("every canonical text reads back as the same unit") {
    for (const char* text : {"mg/L",
                             "mL/min/1.73m2",
                             "mL/min/(1.73.m2)",
                             "10^9/L",
                             "kg^0.75.h/m2",
                             "%",
                             "1/h",
                             "ug.h/mL",
                             "[IU]/L",
                             "mm[Hg]",
                             "copies/mL",
                             "L/h/kg",
                             "g/mol"}) {
        const Unit once = unit(text);
        const Unit twice = unit(once.text);
        CHECK_MESSAGE(twice.text == once.text, text);
        CHECK(twice.dimension == once.dimension);
        CHECK(conversion_factor(once, twice) == 1.0);
    }
}

TEST_CASE("a number inside a unit belongs to what follows it") {
    // 1.73 m2 is the reference body surface; 100 mL/min/1.73m2 is 100/1.73 mL/min/m2.
    CHECK(factor("mL/min/1.73m2", "mL/min/m2") == doctest::Approx(1.0 / 1.73).epsilon(1e-15));
    CHECK(factor("mL/min/1.73m2", "mL/min/(1.73.m2)") == 1.0);
    CHECK(unit("mL/min/1.73m2").text == "mL/min/(1.73.m2)");
}

TEST_CASE("what is no unit is refused with its reason") {
    CHECK(why_not("Cel").find("offset") != std::string::npos);
    CHECK(why_not("°C").find("offset") != std::string::npos);
    CHECK(why_not("nM").find("nmol/L") != std::string::npos);
    CHECK(why_not("Mg").find("megagram") != std::string::npos);
    CHECK(why_not("ML").find("'mL'") != std::string::npos);
    CHECK(why_not("") != "");
    CHECK(why_not("mg//L") != "");
    CHECK(why_not("mg/") != "");
    CHECK(why_not("(mg") != "");
    CHECK(why_not("mg)") != "");
    CHECK(why_not("mg L") != "");
    CHECK(why_not("m^") != "");
    CHECK(why_not("0") != "");
    CHECK(why_not("m^999") != "");
    CHECK(why_not("m99999999999999999999999") != "");
    CHECK(why_not("10^100.10^100.10^100.10^100") != "");
    CHECK(why_not(std::string(10000, '(')) != "");
    CHECK(why_not("mg/kgs").find("'kgs'") != std::string::npos);
}

TEST_CASE("products, quotients and powers of units have readable texts") {
    const Unit mg = unit("mg"), L = unit("L"), h = unit("h");
    CHECK((mg / L).text == "mg/L");
    CHECK((mg / L * L).text == "mg");
    CHECK((L / h / L).text == "1/h");
    CHECK((mg / L * h).text == "mg.h/L");
    CHECK(power(L / h, 2).text == "L2/h2");
    CHECK(power(mg, -1).text == "1/mg");
    CHECK(power(unit("kg"), 0.75).text == "kg^0.75");
    CHECK(power(power(unit("kg"), 0.75), 4.0 / 3.0).dimension == mass_dimension);
    CHECK((Unit{} * mg).text == "mg");
    CHECK(conversion_factor(power(unit("kg"), 0.5), power(unit("g"), 0.5)) ==
          doctest::Approx(std::sqrt(1000.0)).epsilon(1e-15)); // rounding
}

TEST_CASE("dimensions are called what people call them") {
    CHECK(unit("mg").dimension.name() == "an amount");
    CHECK(unit("nmol").dimension.name() == "an amount of substance");
    CHECK(unit("ng/mL").dimension.name() == "a concentration");
    CHECK(unit("L").dimension.name() == "a volume");
    CHECK(unit("mL/min").dimension.name() == "a clearance");
    CHECK(unit("1/h").dimension.name() == "a rate constant");
    CHECK(unit("d").dimension.name() == "a time");
    CHECK(unit("%").dimension.name() == "a percentage");
    CHECK(unit("mg^2.m").dimension.name() == "mass^2·length");
}

TEST_CASE("international units, cells, copies and scores do not mix with numbers or masses") {
    for (const char* text : {"IU", "cells", "copies", "score", "K"}) {
        CHECK_FALSE(unit(text).is_dimensionless());
        CHECK_FALSE(unit(text).dimension == mass_dimension);
    }
    CHECK_FALSE(unit("nmol").dimension == mass_dimension);
}

TEST_CASE("quantities are a number and a unit") {
    const auto read = [](std::string_view text) {
        const auto q = parse_quantity(text);
        REQUIRE_MESSAGE(q, std::string(text));
        return *q;
    };
    CHECK(read("5 mg/L").in(unit("ug/mL")) == 5.0);
    CHECK(read("24h").in(unit("d")) == 1.0);
    CHECK(read("7.5").unit.is_dimensionless());
    CHECK(read("-1e-3 kg").in(unit("mg")) == -1000.0);
    CHECK(read("0.4 mg/kg").unit.text == "mg/kg");
    CHECK(read("20%").in(unit("%")) == 20.0);
    CHECK(read(" .5 h ").value == 0.5);
    for (const char* text :
         {"", "mg", "5 mgg", "1e999 mg", "nan mg", "inf", "5 mg 3", "--5 mg", "1,5 mg"}) {
        std::string why;
        CHECK_FALSE_MESSAGE(parse_quantity(text, &why), text);
        CHECK(why != "");
    }
}
