// The corpus, read once by every reader it is of: what the fuzzer found stays mended.
#include "readers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace gemel::fuzz {
namespace {

std::vector<std::uint8_t> bytes_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

} // namespace

TEST_CASE("every file of the corpus is read to its end or told to be wrong") {
    for (const Reader& reader : readers) {
        const auto folder =
            std::filesystem::path(GEMEL_SOURCE_DIR) / "tests" / "fuzz" / "corpus" / reader.name;
        int n_read = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            CAPTURE(entry.path().string());
            const std::vector<std::uint8_t> bytes = bytes_of(entry.path());
            CHECK_NOTHROW(reader.read(bytes));
            // Cut off anywhere it is another file.
            for (const std::size_t n : {bytes.size() / 3, bytes.size() / 2, bytes.size() - 1})
                CHECK_NOTHROW(reader.read(Bytes(bytes).first(std::min(n, bytes.size()))));
            ++n_read;
        }
        CAPTURE(reader.name);
        CHECK(n_read > 0);
    }
}

} // namespace gemel::fuzz
