#include "../scenarios/study_runs.hpp"

#include <gemel/sim/native_code.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <iterator>

/// Who runs the lanes is no matter for results, and native code is nobody's business until it pays.
namespace gemel::tests::executors {

namespace {

struct Called {
    int code = -1;
    std::string text; ///< standard output and error
};

/// Runs the program in a folder, with a cache there.
Called call(const std::filesystem::path& folder,
            const std::string& arguments,
            const std::string& environment = {}) {
    const std::string command =
        fmt::format("cd '{0}' && XDG_CACHE_HOME='{0}/cache' {1} '{2}' {3} 2>&1",
                    folder.string(),
                    environment,
                    GEMEL_PROGRAM,
                    arguments);
    Called called;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
        called.text.append(buffer.data(), n);
    called.code = WEXITSTATUS(pclose(pipe));
    return called;
}

bool has_native_code(sim::CodeMaker maker = sim::CodeMaker::built_in) {
    sim::NativeOptions options;
    options.maker = maker;
#ifdef GEMEL_PLUG_IN
    options.plug_ins = {GEMEL_PLUG_IN};
#endif
    return sim::NativeCode(options).why_not().empty();
}
bool has_llvm() {
    return has_native_code(sim::CodeMaker::llvm);
}

/// Warfarin in three arms that are solved in lanes: small runs are those of fewer than 200 solves.
std::string warfarin(int n_subjects) {
    return fmt::format("run '{}' -o x.h5 --quiet --set population.size={}",
                       (source_folder() / "examples/warfarin/study.toml").string(),
                       n_subjects);
}

std::string digest_of_run(const TemporaryFolder& folder,
                          const std::string& arguments,
                          const std::string& environment = {}) {
    const Called called = call(folder.path(), arguments, environment);
    CAPTURE(called.text);
    CHECK(called.code == 0);
    return io::ResultReader(folder / "x.h5").attribute("results_sha256");
}

std::string executor_of_run(const TemporaryFolder& folder) {
    return io::ResultReader(folder / "x.h5").provenance("executor");
}

std::filesystem::path only_entry(const TemporaryFolder& folder) {
    const std::filesystem::path cache = folder / "cache/gemel";
    CHECK(std::distance(std::filesystem::directory_iterator(cache),
                        std::filesystem::directory_iterator()) == 1);
    return std::filesystem::directory_iterator(cache)->path();
}

/// glibc chooses its maths functions by these; ours know nothing of them.
constexpr const char* masked = "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-FMA_Usable,"
                               "-FMA,-FMA4,-AVX512F_Usable,-AVX512F,-AVX_Usable,-AVX";

} // namespace

TEST_CASE("results have one digest, whoever runs the lanes and whatever libc may use") {
    const TemporaryFolder folder;
    const std::string expected = digest_of_run(folder, warfarin(70) + " --executor interpreter");
    CHECK(expected.size() == 64);
    CHECK(executor_of_run(folder) == "interpreter");
    std::vector<std::string> others{
        "interpreter --lanes 8", "interpreter --threads 2", "automatic"};
    if (has_native_code()) others.insert(others.end(), {"native", "native --threads 2"});
    if (has_llvm()) others.insert(others.end(), {"llvm", "llvm --threads 2", "llvm --no-cache"});
    for (const std::string& executor : others)
        for (const char* environment : {"", masked})
            CHECK(digest_of_run(folder, warfarin(70) + " --executor " + executor, environment) ==
                  expected);
    CHECK(executor_of_run(folder) == (has_native_code() ? "native" : "interpreter"));
}

TEST_CASE("code of LLVM is kept for the next run, an entry that was changed is made again") {
    if (!has_llvm()) return;
    const TemporaryFolder folder;
    const std::string expected = digest_of_run(folder, warfarin(70) + " --executor interpreter");
    CHECK(!std::filesystem::exists(folder / "cache"));
    CHECK(digest_of_run(folder, warfarin(70) + " --executor llvm --no-cache") == expected);
    CHECK(!std::filesystem::exists(folder / "cache"));
    CHECK(digest_of_run(folder, warfarin(70) + " --executor llvm") == expected);
    const std::filesystem::path entry = only_entry(folder);
    const std::string whole = read_text(entry);
    std::string changed = whole;
    changed[changed.size() / 2] ^= 1;
    write_text(entry, changed);
    CHECK(digest_of_run(folder, warfarin(70) + " --executor llvm") == expected);
    CHECK(read_text(only_entry(folder)) == whole);
}

TEST_CASE("a cache that others may write to is left alone, and told") {
    if (!has_llvm()) return;
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / "cache/gemel");
    chmod((folder / "cache/gemel").c_str(), 0777);
    const Called called =
        call(folder.path(),
             "run '" + (source_folder() / "tests/studies/genotypes.toml").string() +
                 "' -o x.h5 --executor llvm");
    CHECK(called.code == 0);
    CHECK(called.text.find("native code is not kept") != std::string::npos);
    CHECK(std::filesystem::is_empty(folder / "cache/gemel"));
}

TEST_CASE("LLVM is loaded when it makes code, and never else") {
    const TemporaryFolder folder;
    const auto loads_llvm = [&](const std::string& arguments) {
        const Called called = call(folder.path(), arguments, "LD_DEBUG=files");
        CHECK(called.code == 0);
        return called.text.find("libgemel_llvm") != std::string::npos ||
               called.text.find("libLLVM") != std::string::npos;
    };
    CHECK(!loads_llvm("--version"));
    CHECK(!loads_llvm(warfarin(60)));
    CHECK(!loads_llvm(warfarin(70) + " --executor interpreter"));
    CHECK(!loads_llvm(warfarin(70)));
    if (!has_llvm()) return;
    CHECK(loads_llvm(warfarin(60) + " --executor llvm"));
    CHECK(!loads_llvm(warfarin(60) + " --executor llvm")); // it is kept
}

TEST_CASE("native code that is asked for and not there is a mistake: exit 2, nothing is run") {
    const TemporaryFolder folder;
    for (const std::string command : {"run", "plan", "find-dose"}) {
        const Called called = call(folder.path(),
                                   command + " x.toml --executor llvm",
                                   "GEMEL_LLVM_PLUG_IN=/nowhere/libgemel_llvm.so");
        CHECK(called.code == 2);
        CHECK(called.text.find("native code is not there") != std::string::npos);
    }
    CHECK(call(folder.path(), "run x.toml --executor fast").code == 2);
}

} // namespace gemel::tests::executors
