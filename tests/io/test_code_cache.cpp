#include <gemel/io/code_cache.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

/// What is kept comes back as it was, or not at all.
namespace gemel::io {

namespace {

using Bytes = std::vector<unsigned char>;

/// A folder that goes with the test.
struct CacheFolder {
    std::filesystem::path path;
    CacheFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "gemel_cache.XXXXXX").string();
        path = mkdtemp(name.data());
    }
    ~CacheFolder() { std::filesystem::remove_all(path); }

    std::filesystem::path only_file() const {
        CHECK(std::distance(std::filesystem::directory_iterator(path / "cache"),
                            std::filesystem::directory_iterator()) == 1);
        return std::filesystem::directory_iterator(path / "cache")->path();
    }
};

const Bytes key_bytes{1, 2, 3, 0, 255};
const Bytes value_bytes{9, 8, 7, 0, 0, 1};

} // namespace

TEST_CASE("what was put is got, by its own key alone, and the last counts") {
    const CacheFolder folder;
    CodeCache cache(folder.path / "deep" / "cache");
    CHECK(!cache.get(key_bytes));
    cache.put(key_bytes, value_bytes);
    CHECK(cache.get(key_bytes) == value_bytes);
    CHECK(!cache.get(Bytes{1, 2, 3, 0}));
    cache.put(key_bytes, Bytes{});
    CHECK(cache.get(key_bytes) == Bytes{});
    CHECK(CodeCache(folder.path / "deep" / "cache").get(key_bytes) == Bytes{});
    struct stat status {};
    REQUIRE(stat((folder.path / "deep" / "cache").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("an entry that was changed or cut anywhere is not there") {
    const CacheFolder folder;
    CodeCache cache(folder.path / "cache");
    cache.put(key_bytes, value_bytes);
    const std::filesystem::path file = folder.only_file();
    std::string whole;
    {
        std::ifstream in(file, std::ios::binary);
        whole.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto write = [&](const std::string& bytes) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    };
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        write(changed);
        CHECK(!cache.get(key_bytes));
        write(whole.substr(0, i));
        CHECK(!cache.get(key_bytes));
    }
    write(whole);
    CHECK(cache.get(key_bytes) == value_bytes);
    cache.put(key_bytes, value_bytes); // heals
    CHECK(cache.get(key_bytes) == value_bytes);
}

TEST_CASE("folders and files that others may write to are left alone") {
    const CacheFolder folder;
    CodeCache cache(folder.path / "cache");
    cache.put(key_bytes, value_bytes);
    CHECK(cache.why_not().empty());
    for (const mode_t mode : {0720, 0702, 0777}) {
        chmod((folder.path / "cache").c_str(), mode);
        CHECK(!cache.why_not().empty());
        CHECK(!cache.get(key_bytes));
        cache.put(Bytes{4}, value_bytes);
    }
    chmod((folder.path / "cache").c_str(), 0700);
    CHECK(!cache.get(Bytes{4}));
    const std::filesystem::path file = folder.only_file();
    chmod(file.c_str(), 0620);
    CHECK(!cache.get(key_bytes));
    chmod(file.c_str(), 0600);
    CHECK(cache.get(key_bytes) == value_bytes);
    // Nor is a link followed, to a file or as the folder.
    std::filesystem::rename(file, folder.path / "elsewhere");
    std::filesystem::create_symlink(folder.path / "elsewhere", file);
    CHECK(!cache.get(key_bytes));
    std::filesystem::create_symlink(folder.path / "cache", folder.path / "link");
    CHECK(!CodeCache(folder.path / "link").why_not().empty());
}

TEST_CASE("a cache that cannot be written to does not help and does no harm") {
    const CacheFolder folder;
    std::ofstream(folder.path / "file") << "";
    CodeCache cache(folder.path / "file");
    cache.put(key_bytes, value_bytes);
    CHECK(!cache.get(key_bytes));
    CodeCache below(folder.path / "file" / "cache");
    below.put(key_bytes, value_bytes);
    CHECK(!below.get(key_bytes));
}

} // namespace gemel::io
