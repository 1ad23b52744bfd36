#include "study_runs.hpp"

#include <filesystem>

using namespace gemel;
using namespace gemel::tests;

/// Every example's study is good as it stands; what it says is computed when it is run.
TEST_CASE("the examples' studies are good") {
    int n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "examples"))
        if (const auto study = entry.path() / "study.toml"; std::filesystem::exists(study)) {
            INFO(study.string());
            ++n;
            try {
                CHECK(scenarios::load_study(study, source_library(), {}).arms.size() > 0);
            } catch (const sim::InputError& error) {
                FAIL_CHECK(error.what());
            }
        }
    CHECK(n >= 3);
}
