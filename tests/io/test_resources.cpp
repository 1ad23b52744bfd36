#include <gemel/io/resources.hpp>

#include <doctest/doctest.h>

#include <fstream>

namespace gemel::io {

TEST_CASE("Names are found in the library, paths beside the file that names them") {
    const auto root = std::filesystem::temp_directory_path() / "gemel_test_resources";
    std::filesystem::remove_all(root);
    for (const char* folder : {"one/models", "two/models", "studies"})
        std::filesystem::create_directories(root / folder);
    for (const char* file :
         {"one/models/b.toml", "two/models/b.toml", "two/models/a.toml", "studies/own.toml"})
        std::ofstream(root / file) << "x";
    const Library library{{root / "one", root / "two", root / "absent"}};

    CHECK(library.find("models", "b") == root / "one/models/b.toml");
    CHECK(library.find("models", "c").empty());
    CHECK(library.find("models", "../models/b").empty());
    CHECK(library.names("models") == std::vector<std::string>{"a", "b"});
    CHECK(library.names("genes").empty());

    const auto study = root / "studies/study.toml";
    CHECK(resolve(library, "models", "library:a", study) == root / "two/models/a.toml");
    CHECK(resolve(library, "models", "library:own", study).empty());
    CHECK(resolve(library, "models", "own.toml", study) == root / "studies/own.toml");
    CHECK(resolve(library, "models", (root / "studies/own.toml").string(), "x") ==
          root / "studies/own.toml");
    CHECK(resolve(library, "models", "absent.toml", study).empty());
    CHECK(resolve(library, "models", "", study).empty());
    std::filesystem::remove_all(root);
}

} // namespace gemel::io
