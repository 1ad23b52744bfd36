#include "sim/expr/random_expression.hpp"

#include <gemel/sim/lane_program.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <string>

using namespace gemel::sim;

TEST_CASE("programs survive their text form to the bit") {
    ExpressionGraph g;
    testing::RandomExpressions random(g, 2);
    random.leaves = {
        g.leaf(LeafKind::state, 0), g.leaf(LeafKind::input, 7), g.leaf(LeafKind::time)};
    ProgramSpec spec{"a name with words", {}};
    int slot = 0;
    for (int i = 0; i < 40; ++i)
        spec.targets.push_back({{LeafKind::result, slot++}, random.smooth(6)});
    for (const double value : {0.1,
                               -0.0,
                               5e-324,
                               1.7976931348623157e308,
                               -3.0e-310,
                               1.0 / 3.0,
                               std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity()})
        spec.targets.push_back({{LeafKind::result, slot++}, g.constant(value)});
    const LaneProgram program = lower(g, {&spec, 1}).programs[0];
    const LaneProgram read = lane_program_from_text(to_text(program));
    CHECK(read == program);
    CHECK(to_text(read) == to_text(program)); // tells −0 from 0, which == does not
}

TEST_CASE("the text form is what the reference page shows") {
    LaneProgram program;
    program.name = "decline";
    program.instructions = {{Op::leaf, 0, 0, 0, 0.0, {LeafKind::state, 0}},
                            {Op::constant, 0, 0, 0, -0.5, {}},
                            {Op::multiply, 1, 0, 0, 0.0, {}}};
    program.stores = {{{LeafKind::result, 0}, 2}};
    CHECK(to_text(program) == "gemel-lane-program/1\n"
                              "name decline\n"
                              "v0 = load state 0\n"
                              "v1 = constant -0x1p-1\n"
                              "v2 = multiply v1 v0\n"
                              "store result 0 v2\n");
}

TEST_CASE("a text that is no program is refused with its line") {
    const auto message = [](const std::string& body) -> std::string {
        try {
            lane_program_from_text("gemel-lane-program/1\nname x\n" + body);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    CHECK(message("v0 = load state 0\n").empty());
    CHECK(message("v1 = load state 0\n") == "lane program, line 3: expected v0, store or name");
    CHECK(message("v0 = load room 0\n") == "lane program, line 3: \"room\" is no kind of slot");
    CHECK(message("v0 = load state -1\n") ==
          "lane program, line 3: \"-1\" is no number of a slot or value");
    CHECK(message("v0 = constant 0.5\n") ==
          "lane program, line 3: \"0.5\" is no hexadecimal number");
    CHECK(message("v0 = constant 0x1p+0\nv1 = add v0 v1\n") ==
          "lane program, line 4: v1 is not computed yet");
    CHECK(message("v0 = constant 0x1p+0\nv1 = cube v0\n") ==
          "lane program, line 4: \"cube\" is no operation");
    CHECK(message("v0 = constant 0x1p+0\nv1 = add v0\n") ==
          "lane program, line 4: a word is missing");
    CHECK(message("v0 = constant 0x1p+0 7\n") == "lane program, line 3: \"7\" is too much");
    CHECK_THROWS_AS(lane_program_from_text("gemel-lane-program/2\n"), std::invalid_argument);
}
