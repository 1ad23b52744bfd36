#include <gemel/sim/renaming.hpp>

#include <doctest/doctest.h>

namespace gemel::sim {

TEST_CASE("names of an expression are replaced, and nothing else") {
    auto file = std::make_shared<SourceFile>();
    file->text = "CL * exp(-k * t) + in(CL, \"CL\") * 3[L/h] # CL";
    const auto renamed = [](const std::string& name) {
        return name == "k" ? std::string("k") : "d_" + name;
    };
    CHECK(with_names({file->text, {file, 1, 1, 1}}, renamed) ==
          "d_CL * exp(-k * t) + in(d_CL, \"CL\") * 3[L/h] # CL");
}

} // namespace gemel::sim
