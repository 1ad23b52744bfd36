#include "result/digest.hpp"
#include "result/hdf5.hpp"
#include "result/journal.hpp"
#include "result/leaf_kernels.hpp"
#include "result/leaf_store.hpp"
#include "trial.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/sim/lane_program.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>

namespace gemel::io {

using test::Folder;
using test::trial_value;
using test::TrialOptions;
using test::write_trial;

namespace {

/// The message of what a call throws, "" if it throws nothing.
template <typename Error, typename Call>
std::string thrown(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A file of one variable along one axis of subjects.
struct OneVariable {
    explicit OneVariable(const std::filesystem::path& path, std::uint64_t n = 100) : file(path) {
        file.add(Axis{.name = "subject", .integers = std::vector<std::int64_t>(n, 1)});
        file.add({.path = "x", .axes = {"subject"}, .units = "1"});
    }
    ResultFile file;
};

} // namespace

TEST_CASE("The subject chunk is the largest power of two that stays within 512 KiB") {
    // 512 KiB are 65536 doubles: 65536 / T, rounded down to a power of two, within 64…1024.
    CHECK(chunk_subjects(0) == 1024);
    CHECK(chunk_subjects(64) == 1024);
    CHECK(chunk_subjects(65) == 512);
    CHECK(chunk_subjects(241) == 256);
    CHECK(chunk_subjects(256) == 256);
    CHECK(chunk_subjects(257) == 128);
    CHECK(chunk_subjects(1024) == 64);
    CHECK(chunk_subjects(100000) == 64);
}

TEST_CASE("SHA-256 is that of the standard") {
    // FIPS 180-4, examples of NIST.
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("XXH3-128 is that of its specification") {
    // xxHash's sanity tests: XXH3 128 of the empty input, in canonical (big-endian) order.
    const Leaf empty = leaf_digest(std::span<const std::uint8_t>());
    const Leaf expected{0x99,
                        0xaa,
                        0x06,
                        0xd3,
                        0x01,
                        0x47,
                        0x98,
                        0xd8,
                        0x60,
                        0x01,
                        0xc3,
                        0x24,
                        0x46,
                        0x8d,
                        0x49,
                        0x7f};
    CHECK(empty == expected);
}

TEST_CASE("Digests and the search for missing values are the same for every set of instructions") {
    const LeafKernels* v3 = x86_64_v3_leaf_kernels();
    if (v3 == nullptr || sim::best_instruction_set() != sim::InstructionSet::x86_64_v3) return;
    const LeafKernels& baseline = *baseline_leaf_kernels();
    std::vector<double> values(1000);
    std::iota(values.begin(), values.end(), 0.5);
    for (std::size_t size = 0; size <= values.size(); size += size < 70 ? 1 : 93) {
        CAPTURE(size);
        CHECK(v3->digest(values.data(), 8 * size) == baseline.digest(values.data(), 8 * size));
        CHECK_FALSE(v3->has_missing(values.data(), size));
        CHECK_FALSE(baseline.has_missing(values.data(), size));
        for (std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
            if (at >= size) continue;
            const double before = std::exchange(values[at], -std::nan(""));
            CHECK(v3->has_missing(values.data(), size));
            CHECK(baseline.has_missing(values.data(), size));
            values[at] = before;
        }
    }
}

TEST_CASE("What was written is read back") {
    const Folder folder("read_back");
    const auto path = folder.path / "trial.h5";
    const std::string digest = write_trial(path);
    CHECK_FALSE(std::filesystem::exists(folder.path / "trial.h5.part"));

    const ResultReader reader(path);
    CHECK(reader.attribute("results_sha256") == digest);
    CHECK(digest.size() == 64);
    CHECK(reader.attribute("Conventions") == "CF-1.10");
    CHECK(reader.attribute("title") == "a trial µ");
    CHECK(reader.attribute("seed") == "42");
    CHECK(reader.attribute("absent") == "");
    CHECK(reader.provenance("rng") == "philox4x32-10");
    CHECK(reader.provenance("study_toml") == "gemel = \"study/1\"\n");
    CHECK(reader.axis("arm").labels == std::vector<std::string>{"low", "high"});
    CHECK(reader.axis("time").numbers.at(24) == 24.0);
    CHECK(reader.axis("time").units == "h");
    CHECK(reader.axis("subject").integers.back() == 150);

    const auto values = reader.reals("Cp", 1, 60, 10);
    REQUIRE(values.size() == 250);
    for (std::size_t i = 0; i < 10; ++i)
        for (std::size_t t = 0; t < 25; ++t)
            CHECK(values[i * 25 + t] == trial_value(1, 60 + i, t));
    CHECK(std::isnan(reader.reals("Cp", 1, 3, 1).at(7)));
    CHECK(reader.reals("covariates/WT", -1, 149, 1).at(0) == 209.0);
    CHECK(reader.texts("genotypes/CYP2C9", -1, 1, 2) == std::vector<std::string>{"*1/*3", "*1/*1"});
    CHECK(reader.texts("diagnostics/status", 1, 3, 2) ==
          std::vector<std::string>{"failed_nonfinite", "ok"});
    CHECK(reader.reals("diagnostics/n_steps", 1, 149, 1).at(0) == 249.0);
    CHECK(reader.reals("endpoints/mean_AUC", -1, 0, 2) == std::vector<double>{1.5, 1.5});
}

TEST_CASE("A reader learns the variables from the file") {
    const Folder folder("variables");
    write_trial(folder.path / "trial.h5");
    const auto variables = ResultReader(folder.path / "trial.h5").variables();
    std::string paths;
    for (const Variable& variable : variables)
        paths += variable.path + ' ';
    // In the order they were written.
    CHECK(paths == "Cp INR outcomes/AUC covariates/WT genotypes/CYP2C9 diagnostics/status "
                   "diagnostics/n_steps endpoints/mean_AUC ");
    CHECK(variables[0].axes == std::vector<std::string>{"arm", "subject", "time"});
    CHECK(variables[0].units == "mg/L");
    CHECK(variables[0].long_name == "plasma concentration");
    CHECK(variables[1].axes.back() == "time_INR");
    CHECK(variables[5].type == ValueType::category);
    CHECK(variables[5].meanings == std::vector<std::string>{"ok", "failed_nonfinite"});
    CHECK(variables[4].type == ValueType::text);
    CHECK(variables[2].attributes ==
          std::vector<std::pair<std::string, std::string>>{{"definition", "auc(Cp, 0 h, 24 h)"}});
}

TEST_CASE("Chunks hold one arm and B subjects of every variable") {
    const Folder folder("chunks");
    const TrialOptions options{.n_subjects = 2000, .block = 1024};
    write_trial(folder.path / "trial.h5", options);
    const h5::File file = h5::File::open_read_only(folder.path / "trial.h5");
    // 25 times: 1024 subjects × 25 × 8 bytes = 200 KiB.
    CHECK(file.open_dataset("Cp").chunk() == h5::Extent{1, 1024, 25});
    CHECK(file.open_dataset("outcomes/AUC").chunk() == h5::Extent{1, 1024});
    CHECK(file.open_dataset("covariates/WT").chunk() == h5::Extent{1024});
    CHECK(file.open_dataset("time").chunk().empty());
}

TEST_CASE("The digest sees values, not blocks or the order of writing") {
    const Folder folder("order");
    const auto path = folder.path / "trial.h5";
    const std::string digest = write_trial(path);
    CHECK(write_trial(path, {.block = 128}) == digest);
    CHECK(write_trial(path, {.block = 128, .writes_backwards = true}) == digest);
    CHECK(write_trial(path, {.shift = 1e-12}) != digest);
}

TEST_CASE("Equal runs give equal bytes") {
    const Folder folder("bytes");
    const auto bytes = [&](const char* name) {
        write_trial(folder.path / name);
        std::ifstream stream(folder.path / name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(stream), {});
    };
    CHECK(bytes("a.h5") == bytes("b.h5"));
}

TEST_CASE("Adding an output or an arm leaves the digests of the others alone") {
    const Folder folder("adding");
    write_trial(folder.path / "two.h5");
    write_trial(folder.path / "less.h5", {.has_second_output = false});
    write_trial(folder.path / "three.h5", {.arms = {"low", "high", "extra"}});
    const ResultReader two(folder.path / "two.h5");
    const ResultReader less(folder.path / "less.h5");
    const ResultReader three(folder.path / "three.h5");
    for (const Variable& variable : less.variables())
        CHECK(two.variable_digest(variable.path) == less.variable_digest(variable.path));
    CHECK(two.variable_digest("Cp") != three.variable_digest("Cp"));
    CHECK(two.variable_digest("covariates/WT") == three.variable_digest("covariates/WT"));
    for (const int arm : {0, 1}) {
        CHECK(two.arm_digest("Cp", arm) == three.arm_digest("Cp", arm));
        CHECK(two.arm_digest("diagnostics/status", arm) ==
              three.arm_digest("diagnostics/status", arm));
    }
    CHECK(two.arm_digest("Cp", 0) != two.arm_digest("Cp", 1));
}

TEST_CASE("Digests while writing are those of the finished file") {
    const Folder folder("while");
    std::string written;
    std::string arm;
    {
        OneVariable one(folder.path / "x.h5");
        one.file.write("x", -1, 0, std::vector<double>(100, 2.5));
        written = one.file.variable_digest("x");
        arm = one.file.arm_digest("x", 0);
        one.file.finish();
    }
    const ResultReader reader(folder.path / "x.h5");
    CHECK(reader.variable_digest("x") == written);
    CHECK(reader.arm_digest("x", 0) == arm);
}

TEST_CASE("A counted axis is the one that lists 1, 2, …, and as long as a population") {
    // 3000 lies beyond one stretch of counting; the listed axis is the oracle.
    const Folder folder("counted");
    std::vector<std::int64_t> listed(3000);
    std::iota(listed.begin(), listed.end(), 1);
    std::string digests[2];
    const Axis axes[] = {{.name = "subject", .integers = listed},
                         {.name = "subject", .count = 3000}};
    for (int i = 0; i < 2; ++i) {
        ResultFile file(folder.path / "x.h5");
        file.add(axes[i]);
        file.add({.path = "x", .axes = {"subject"}, .units = "1"});
        file.write("x", -1, 0, std::vector<double>(3000, 1.0));
        digests[i] = file.finish();
        const ResultReader reader(folder.path / "x.h5");
        CHECK(reader.axis("subject").integers == listed);
        CHECK(reader.axis_size("subject") == 3000);
    }
    CHECK(digests[0] == digests[1]);
    ResultFile long_file(folder.path / "x.h5");
    long_file.add(Axis{.name = "subject", .count = 200000});
    long_file.add({.path = "x", .axes = {"subject"}, .units = "1"});
    long_file.write("x", -1, 0, std::vector<double>(200000, 1.0));
    long_file.finish();
    CHECK(ResultReader(folder.path / "x.h5").axis("subject").integers.back() == 200000);
}

TEST_CASE("Leaves on disk give the digest of leaves in memory, in any order of putting") {
    const Folder folder("leaves");
    LeafStore store(disk::SideFile::unnamed((folder.path / "x.part").string()));
    CHECK(std::filesystem::is_empty(folder.path)); // it has no name
    constexpr std::uint64_t n = 10000;             // beyond one stretch of reading
    CHECK(store.reserve(5) == 0);
    const std::uint64_t first = store.reserve(n);
    CHECK(first == 5);
    std::vector<Leaf> leaves;
    for (std::uint64_t i = 0; i < n; ++i)
        leaves.push_back(leaf_digest(std::span<const std::int64_t>(
            std::vector<std::int64_t>{static_cast<std::int64_t>(i)})));
    for (std::uint64_t i = n; i-- > 0;)
        if (i != 7000) store.put(first + i, std::span(leaves).subspan(i, 1));
    CHECK(store.first_missing(first, n) == first + 7000);
    store.put(first + 7000, std::span(leaves).subspan(7000, 1));
    CHECK_FALSE(store.first_missing(first, n).has_value());
    CHECK(store.digest("heading", first, n) == digest_of("heading", leaves));
}

TEST_CASE("A missing value is one value, whatever its bits") {
    const Folder folder("nan");
    std::string digests[2];
    const double payload = std::bit_cast<double>(0xFFF8000000000123ULL);
    const double missing[] = {std::numeric_limits<double>::quiet_NaN(), payload};
    for (int i = 0; i < 2; ++i) {
        OneVariable one(folder.path / "x.h5");
        one.file.write("x", -1, 0, std::vector<double>(100, missing[i]));
        digests[i] = one.file.finish();
    }
    CHECK(digests[0] == digests[1]);
}

TEST_CASE("An unfinished file leaves nothing behind, and the finished one of before untouched") {
    const Folder folder("unfinished");
    const auto path = folder.path / "x.h5";
    std::ofstream(path) << "before";
    {
        OneVariable one(path);
        one.file.write("x", -1, 0, std::vector<double>(64, 1.0));
        CHECK(std::filesystem::exists(folder.path / "x.h5.part"));
        const auto message = thrown<std::invalid_argument>([&] { one.file.finish(); });
        CHECK(has(message, "'x' is not written from arm 0, subject 64"));
    }
    CHECK_FALSE(std::filesystem::exists(folder.path / "x.h5.part"));
    std::string word;
    std::ifstream(path) >> word;
    CHECK(word == "before");
}

TEST_CASE("What the disk refuses names file and reason") {
    const auto nowhere =
        thrown<std::runtime_error>([] { ResultFile file("/nonexistent_folder/x.h5"); });
    CHECK(nowhere == "/nonexistent_folder/x.h5.part: creating the file: No such file or directory");

    // A limit on the size of files stands for a full disk: both refuse to write.
    const Folder folder("full");
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1 << 20, before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto full = thrown<std::runtime_error>([&] {
        OneVariable one(folder.path / "x.h5", 1 << 20);
        one.file.write("x", -1, 0, std::vector<double>(1 << 20, 1.0));
        one.file.finish();
    });
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(has(full, (folder.path / "x.h5.part").string()));
    CHECK(has(full, "File too large"));
    CHECK(std::filesystem::is_empty(folder.path));
}

TEST_CASE("Misuse is refused with the argument's name") {
    const Folder folder("misuse");
    OneVariable one(folder.path / "x.h5");
    ResultFile& file = one.file;
    const std::vector<double> ones(64, 1.0);
    const auto refused = [](const auto& call) { return thrown<std::invalid_argument>(call); };
    CHECK(has(refused([&] { file.add({.path = "x", .units = "1"}); }), "already"));
    CHECK(has(refused([&] { file.add({.path = "a b", .units = "1"}); }), "no name"));
    CHECK(has(refused([&] { file.add({.path = "/a", .units = "1"}); }), "no name"));
    CHECK(has(refused([&] { file.add({.path = "y"}); }), "needs units"));
    CHECK(has(refused([&] { file.add({.path = "y", .axes = {"z"}, .units = "1"}); }), "axis 'z'"));
    CHECK(has(refused([&] { file.add(Axis{.name = "t"}); }), "values of one kind"));
    CHECK(has(refused([&] { file.add(Axis{.name = "t", .numbers = {1}}); }), "units"));
    CHECK(has(refused([&] { file.write("y", -1, 0, ones); }), "no variable 'y'"));
    CHECK(has(refused([&] { file.write("x", 0, 0, ones); }), "no such arm"));
    CHECK(has(refused([&] { file.write("x", -1, 1, ones); }), "multiples of 64"));
    CHECK(has(refused([&] { file.write("x", -1, 64, ones); }), "beyond"));
    CHECK(has(refused([&] { file.write("x", -1, 0, std::vector<double>(10)); }), "blocks end"));
    CHECK(has(refused([&] { file.write("x", -1, 0, std::vector<std::int64_t>(64)); }), "type"));
    CHECK(has(refused([&] { file.write_all("x", ones); }), "do not fit"));
}

TEST_CASE("A reader refuses what is no result of this layout") {
    const Folder folder("foreign");
    std::ofstream(folder.path / "text.h5") << "no HDF5";
    const auto refused = [&](const char* name) {
        return thrown<std::runtime_error>([&] { const ResultReader reader(folder.path / name); });
    };
    CHECK(has(refused("text.h5"), "text.h5: opening the file"));
    CHECK(has(refused("absent.h5"), "there is no such file"));
    h5::File::create(folder.path / "other.h5").close();
    CHECK(has(refused("other.h5"), "no result file of layout gemel-trajectory/1"));
}

TEST_CASE("chunks that take their space at once are found, however many there are") {
    // Oracle: HDF5, which reads through its own tree what was written past it. 64 subjects a chunk
    // because of the long curve, so 1,563 chunks of 512 bytes in each of three arms.
    const Folder folder("placement");
    constexpr std::uint64_t n = 100000;
    {
        ResultFile file(folder.path / "x.h5");
        file.add(Axis{.name = "arm", .labels = {"a", "b", "c"}});
        file.add(Axis{.name = "subject", .count = n});
        file.add(Axis{.name = "subject_64", .count = 64});
        file.add(Axis{.name = "time", .units = "h", .numbers = std::vector<double>(2000, 1.0)});
        file.add({.path = "x", .axes = {"arm", "subject"}, .units = "1"});
        file.add({.path = "y",
                  .type = ValueType::category,
                  .axes = {"arm", "subject"},
                  .units = "1",
                  .meanings = std::vector<std::string>(251, "a")});
        file.add({.path = "z", .axes = {"arm", "subject_64", "time"}, .units = "1"});
        for (const int arm : {2, 0, 1}) {
            std::vector<double> x(n);
            std::vector<std::uint8_t> y(n);
            for (std::uint64_t s = 0; s < n; ++s) {
                x[s] = static_cast<double>(1000000 * arm) + static_cast<double>(s);
                y[s] = static_cast<std::uint8_t>((s + static_cast<std::uint64_t>(arm)) % 251);
            }
            file.write("x", arm, 0, x);
            file.write("y", arm, 0, y);
            file.write("z", arm, 0, std::vector<double>(64 * 2000, arm));
        }
        file.finish();
    }
    const h5::File file = h5::File::open_read_only(folder.path / "x.h5");
    const h5::Dataset x = file.open_dataset("x"), y = file.open_dataset("y");
    CHECK(x.chunk() == h5::Extent{1, 64});
    CHECK(x.placement().n_chunks == 3 * 1563);
    CHECK(x.placement().stretches.size() < 8); // their tree does not come between
    for (std::uint64_t arm = 0; arm < 3; ++arm) {
        const h5::Slab slab{{arm, 0}, {1, n}};
        const std::vector<double> reals = x.read_reals(slab);
        const std::vector<std::uint8_t> bytes = y.read_bytes(slab);
        std::uint64_t n_wrong = 0;
        for (std::uint64_t s = 0; s < n; ++s)
            n_wrong +=
                reals[s] != static_cast<double>(1000000 * arm + s) || bytes[s] != (s + arm) % 251;
        CHECK(n_wrong == 0);
    }
}

TEST_CASE("threads write side by side, and the file is that of one thread") {
    const Folder folder("threads");
    const auto write = [&](const char* name, int n_threads) {
        ResultFile file(folder.path / name);
        file.add(Axis{.name = "subject", .count = 6400});
        file.add(Axis{.name = "time", .units = "h", .numbers = {0.0, 1.0, 2.0}});
        file.add({.path = "x", .axes = {"subject", "time"}, .units = "1"});
        file.add({.path = "t", .type = ValueType::text, .axes = {"subject"}, .units = "1"});
        std::atomic<std::uint64_t> next = 0;
        const auto work = [&] {
            for (std::uint64_t i = next++; i < 100; i = next++) {
                std::vector<double> x(64 * 3, static_cast<double>(i));
                file.write("x", -1, 64 * i, x);
                file.write("t", -1, 64 * i, std::vector<std::string>(64, std::to_string(i)));
            }
        };
        std::vector<std::jthread> threads;
        for (int i = 0; i < n_threads; ++i)
            threads.emplace_back(work);
        threads.clear();
        return file.finish();
    };
    CHECK(write("a.h5", 1) == write("b.h5", 4));
    CHECK(ResultReader(folder.path / "b.h5").texts("t", -1, 6399, 1).front() == "99");
}

namespace {

/// Two blocks, a text and a summary; `n_blocks` of them are written, then the state is kept.
ResultFile& half_written(ResultFile& file, int n_blocks) {
    file.add(Axis{.name = "subject", .count = 128});
    file.add({.path = "x", .axes = {"subject"}, .units = "1"});
    file.add({.path = "t", .type = ValueType::text, .axes = {"subject"}, .units = "1"});
    file.add({.path = "mean", .units = "1"});
    for (int i = 0; i < n_blocks; ++i) {
        const auto first = static_cast<std::uint64_t>(64 * i);
        file.write("x", -1, first, std::vector<double>(64, i + 0.5));
        file.write("t", -1, first, std::vector<std::string>(64, "µ"));
    }
    return file;
}

} // namespace

TEST_CASE("a file goes on from its last checkpoint, in every state an end can leave") {
    // Oracle: the file that was written at once.
    const Folder folder("checkpoint");
    const auto path = folder.path / "x.h5", part = folder.path / "x.h5.part";
    const double mean = 1.0;
    std::string whole;
    {
        ResultFile file(folder.path / "whole.h5");
        half_written(file, 2).write_all("mean", std::span<const double>(&mean, 1));
        file.attribute("title", "a title");
        whole = file.finish();
    }
    {
        ResultFile file(path, {.key = "k"});
        CHECK_FALSE(file.take_state().has_value());
        half_written(file, 1).checkpoint([](const auto& add) {
            add("one ");
            add("block");
        });
    }
    CHECK(std::filesystem::exists(part));
    {
        // What HDF5 has done to the file at the end, when it was not complete, is undone.
        ResultFile file(path, {.key = "k"});
        CHECK(file.take_state() == "one block");
        file.attribute("title", "quite another title");
        CHECK_THROWS_AS(half_written(file, 0).finish(), std::invalid_argument);
    }
    CHECK(std::filesystem::exists(part));
    std::ofstream(part, std::ios::binary | std::ios::app) << "and more";
    ResultFile file(path, {.key = "k"});
    CHECK(file.take_state() == "one block");
    half_written(file, 0);
    file.write("x", -1, 64, std::vector<double>(64, 1.5));
    file.write("t", -1, 64, std::vector<std::string>(64, "µ"));
    file.write_all("mean", std::span<const double>(&mean, 1));
    file.attribute("title", "a title");
    CHECK(file.finish() == whole);
    std::ifstream a(path, std::ios::binary), b(folder.path / "whole.h5", std::ios::binary);
    CHECK(std::string(std::istreambuf_iterator<char>(a), {}) ==
          std::string(std::istreambuf_iterator<char>(b), {}));
}

TEST_CASE("a file of another key is refused and left alone, or replaced if asked") {
    const Folder folder("other_key");
    const auto path = folder.path / "x.h5", part = folder.path / "x.h5.part";
    {
        ResultFile file(path, {.key = "k"});
        half_written(file, 1).checkpoint([](const auto& add) { add("state"); });
    }
    const auto size = std::filesystem::file_size(part);
    const auto refused =
        thrown<std::runtime_error>([&] { const ResultFile other(path, {.key = "l"}); });
    CHECK(has(refused, "x.h5.part is what an interrupted run of something else left"));
    CHECK(std::filesystem::file_size(part) == size);
    { const ResultFile anew(path, {.key = "l", .restarts = true}); }
    CHECK(std::filesystem::is_empty(folder.path));
    ResultFile keyless(path);
    CHECK_THROWS_AS(keyless.checkpoint([](const auto&) {}), std::invalid_argument);
    CHECK_THROWS_AS(ResultFile(folder.path / "y.h5", {.key = "two words"}), std::invalid_argument);
}

TEST_CASE("a journal is read whole or not at all") {
    const Folder folder("journal");
    const std::string path = (folder.path / "j").string();
    CHECK_FALSE(read_journal(path).has_value());
    const std::string state("state\0\nof bytes", 15);
    const auto write_journal = [&](std::uint64_t text_size, std::string_view its_state) {
        NextJournal next(path, "key", "places");
        next.add_state(its_state.substr(0, 3));
        next.add_state(its_state.substr(3));
        next.publish(text_size);
    };
    write_journal(12, "before");
    write_journal(13, state);
    const auto journal = read_journal(path);
    REQUIRE(journal.has_value());
    CHECK(journal->key == "key");
    CHECK(journal->places == "places");
    CHECK(journal->text_size == 13);
    CHECK(journal->state == state);
    const auto size = std::filesystem::file_size(path);
    for (std::uint64_t torn = 0; torn < size; ++torn) {
        write_journal(13, state);
        std::filesystem::resize_file(path, torn);
        CHECK_FALSE(read_journal(path).has_value());
    }
    for (std::uint64_t at = 0; at < size; ++at) {
        write_journal(13, state);
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(at));
        file.put('~');
        file.close();
        CHECK_FALSE(read_journal(path).has_value());
    }
}

TEST_CASE("what a full disk refuses is told by name and reason") {
    // /dev/full is full by definition.
    const int full = ::open("/dev/full", O_WRONLY);
    REQUIRE(full >= 0);
    CHECK(thrown<std::runtime_error>([&] { disk::write_at(full, 0, "x", 1, "x.part"); }) ==
          "x.part: writing: No space left on device");
    ::close(full);
}

/// Called by tests/io/check_layout.py, which gives the folder.
TEST_CASE("write the trial that check_layout.py reads" * doctest::skip()) {
    const char* folder = std::getenv("GEMEL_LAYOUT_FOLDER");
    REQUIRE(folder != nullptr);
    write_trial(std::filesystem::path(folder) / "trial.h5");
}

TEST_CASE("replicates stand in front of arm and subject, and are written and read one at a time") {
    // Oracle: the numbers as they were written.
    const Folder folder("replicates");
    const auto value = [](std::size_t r, int arm, std::size_t s) {
        return 10000.0 * static_cast<double>(r) + 1000.0 * arm + static_cast<double>(s);
    };
    const auto write = [&](const std::string& name, bool is_backward) {
        ResultFile file(folder.path / name);
        file.add(Axis{.name = replicate_axis, .count = 3});
        file.add(Axis{.name = "arm", .labels = {"a", "b"}});
        file.add(Axis{.name = "subject", .count = 100});
        file.add({.path = "x", .axes = {replicate_axis, "arm", "subject"}, .units = "1"});
        file.add({.path = "mean", .axes = {replicate_axis, "arm"}, .units = "1"});
        file.add({.path = "theta", .axes = {replicate_axis}, .units = "1"});
        file.add({.path = "common", .axes = {"arm"}, .units = "1"});
        for (std::size_t i = 0; i < 3; ++i) {
            const std::size_t r = is_backward ? 2 - i : i;
            file.select_replicate(r);
            for (int arm : {0, 1}) {
                std::vector<double> column;
                for (std::size_t s = 0; s < 100; ++s)
                    column.push_back(value(r, arm, s));
                file.write("x", arm, 0, std::span<const double>(column));
            }
            const double means[] = {value(r, 0, 0), value(r, 1, 0)};
            file.write_all("mean", std::span<const double>(means));
            file.write_all("theta", std::span<const double>(means, 1));
        }
        const double common[] = {1.0, 2.0};
        file.write_all("common", std::span<const double>(common));
        return file.finish();
    };
    CHECK(write("a.h5", false) == write("b.h5", true)); // the order of writing is no result
    ResultReader file(folder.path / "a.h5");
    CHECK(file.n_replicates() == 3);
    CHECK(file.is_replicated("x"));
    CHECK_FALSE(file.is_replicated("common"));
    for (const Variable& variable : file.variables())
        if (variable.path == "x")
            CHECK(variable.axes == std::vector<std::string>{"arm", "subject"});
    for (std::size_t r : {2u, 0u, 1u}) {
        file.select_replicate(r);
        CHECK(file.reals("x", 1, 70, 2) == std::vector<double>{value(r, 1, 70), value(r, 1, 71)});
        CHECK(file.reals("mean", -1, 0, 2) == std::vector<double>{value(r, 0, 0), value(r, 1, 0)});
        CHECK(file.reals("theta", -1, 0, 1).front() == value(r, 0, 0));
        CHECK(file.reals("common", -1, 0, 2) == std::vector<double>{1.0, 2.0});
    }
    file.select_replicate(3);
    CHECK_THROWS_AS((void)file.reals("x", 0, 0, 1), std::invalid_argument);
}

TEST_CASE("a replicate that is not written, or does not exist, is told") {
    const Folder folder("replicates");
    ResultFile file(folder.path / "a.h5");
    file.add(Axis{.name = replicate_axis, .count = 2});
    file.add(Axis{.name = "arm", .labels = {"a"}});
    file.add({.path = "mean", .axes = {replicate_axis, "arm"}, .units = "1"});
    CHECK_THROWS_AS(file.add({.path = "bad", .axes = {"arm", replicate_axis}, .units = "1"}),
                    std::invalid_argument);
    const double one = 1.0;
    file.write_all("mean", std::span<const double>(&one, 1));
    CHECK(has(thrown<std::invalid_argument>([&] { file.finish(); }), "is not written"));
    file.select_replicate(2);
    CHECK(has(thrown<std::invalid_argument>(
                  [&] { file.write_all("mean", std::span<const double>(&one, 1)); }),
              "no replicate 2"));
}

TEST_CASE("texts that repeat are stored once and read as they were") {
    // Blocks of a chunk, the last one shorter; texts that come later, and a block of its own texts.
    const Folder folder("shared_texts");
    constexpr std::uint64_t n = 3000, block = 1024;
    const auto text_of = [](std::uint64_t subject) -> std::string {
        if (subject >= 1024 && subject < 2048) return "ID " + std::to_string(subject);
        return subject % 3 == 0 ? "*1/*1" : subject < 2500 ? "*1/*2" : "*17/*2 and more than a few";
    };
    const auto write = [&](const char* name, const auto& texts_from) {
        ResultFile file(folder.path / name);
        file.add(Axis{.name = "subject", .count = n});
        file.add({.path = "genotype", .type = ValueType::text, .axes = {"subject"}, .units = "1"});
        for (std::uint64_t first = 0; first < n; first += block) {
            std::vector<std::string> texts;
            for (std::uint64_t s = first; s < std::min(first + block, n); ++s)
                texts.push_back(texts_from(s));
            file.write("genotype", -1, first, texts);
        }
        file.finish();
        return std::filesystem::file_size(folder.path / name);
    };
    const auto size = write("x.h5", text_of);
    const auto size_of_own =
        write("y.h5", [](std::uint64_t s) { return "ID of subject " + std::to_string(s); });
    ResultReader reader(folder.path / "x.h5");
    const std::vector<std::string> read = reader.texts("genotype", -1, 0, n);
    std::size_t n_other = 0;
    for (std::uint64_t s = 0; s < n; ++s)
        n_other += read[s] != text_of(s);
    CHECK(n_other == 0);
    CHECK(size + 40'000 < size_of_own); // two of three blocks without a heap
}

} // namespace gemel::io
