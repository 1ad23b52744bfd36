#include "study_runs.hpp"

#include <gemel/scenarios/run_study.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <optional>

/// Runs that are interrupted and gone on with. Oracle: the run that nothing interrupted.
namespace gemel::tests {

namespace {

struct Struck : std::runtime_error {
    Struck() : std::runtime_error("struck") {}
};

/// Ends a run after so many arms of blocks, wherever that is: between two arms of a block, too.
class Striker : public sim::Monitor {
public:
    explicit Striker(int n) : left_(n) {}
    void advance(std::uint64_t, std::uint64_t) override {
        if (--left_ < 0) throw Struck();
    }
    void resume(std::uint64_t n_solves, std::uint64_t) override { n_before = n_solves; }
    std::uint64_t n_before = 0;

private:
    std::atomic<int> left_;
};

class Canceller : public sim::Monitor {
public:
    explicit Canceller(int n) : left_(n) {}
    void advance(std::uint64_t, std::uint64_t) override { --left_; }
    bool is_cancelled() const override { return left_ <= 0; }

private:
    std::atomic<int> left_;
};

scenarios::RunStudyOptions every_block(const std::filesystem::path& output, int n_threads = 1) {
    scenarios::RunStudyOptions options;
    options.output = output;
    options.n_threads = n_threads;
    options.version = "test";
    options.command = "gemel run";
    options.checkpoint_seconds = 0.0;
    return options;
}

/// Goes on after every strike until the run is through.
scenarios::StudyReport run_struck(const scenarios::Study& study,
                                  const scenarios::RunStudyOptions& options,
                                  int arms_of_blocks_at_once) {
    std::uint64_t n_before = 0;
    for (;;) {
        Striker striker(arms_of_blocks_at_once);
        try {
            return scenarios::run_study(study, options, &striker);
        } catch (const Struck&) {
            CHECK_FALSE(std::filesystem::exists(options.output));
            CHECK(striker.n_before >= n_before); // nothing that was kept is lost
            n_before = striker.n_before;
        }
    }
}

std::string told(const scenarios::StudyReport& report, const scenarios::Study& study) {
    return scenarios::render(report, study);
}

std::size_t n_entries(const std::filesystem::path& folder) {
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        n += entry.exists();
    return n;
}

void compare_struck(const std::string& name, std::vector<std::string> overrides, int n_threads) {
    CAPTURE(name);
    CAPTURE(n_threads);
    const TemporaryFolder folder;
    const scenarios::Study study = load(name, std::move(overrides));
    const scenarios::StudyReport whole = run(study, folder / "whole.h5", 2);
    const scenarios::StudyReport struck =
        run_struck(study, every_block(folder / "struck.h5", n_threads), 2 * n_threads + 1);
    CHECK(struck.results_sha256 == whole.results_sha256);
    CHECK(told(struck, study) == told(whole, study));
    CHECK(struck.endpoints == whole.endpoints);
    CHECK(struck.n_failed == whole.n_failed);
    CHECK(n_entries(folder.path()) == 2); // what stood beside the files is gone
}

/// What a run throws, in words.
std::string refusal(const scenarios::Study& study, const scenarios::RunStudyOptions& options) {
    try {
        scenarios::run_study(study, options);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return {};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A study of several blocks and two arms that is interrupted once.
struct Interrupted {
    explicit Interrupted(int n = 3) {
        Striker striker(n);
        CHECK_THROWS_AS(scenarios::run_study(study, every_block(output), &striker), Struck);
    }
    TemporaryFolder folder;
    std::filesystem::path output = folder / "x.h5";
    scenarios::Study study = load("genotypes.toml", {"population.size=5000"});
};

} // namespace

TEST_CASE("a run that is interrupted again and again has the results of one that is not") {
    compare_struck("genotypes.toml", {"population.size=5000", "save.Cp.subjects=1500"}, 1);
    compare_struck("attainment.toml", {"save.subjects=none"}, 2); // endpoints, paired, by strata
    compare_struck("theophylline_data.toml", {}, 1);
}

TEST_CASE("so has every other kind of study, on one thread and on two" *
          doctest::test_suite("slow")) {
    for (const int n_threads : {1, 2}) {
        compare_struck("genotypes.toml", {"population.size=5000"}, n_threads);
        compare_struck("genotypes.toml", {"population.size=5000", "save.subjects=none"}, n_threads);
        compare_struck("samples.toml", {"study.replicates=3", "population.size=2500"}, n_threads);
        compare_struck("codeine_by_ancestry.toml", {"population.size=2500"}, n_threads);
        compare_struck("bad_patients.toml", {}, n_threads); // failures are named
        compare_struck("weighted.toml", {}, n_threads);
        compare_struck("occasions.toml", {}, n_threads);
        compare_struck("warfarin_data.toml", {}, n_threads);
    }
}

TEST_CASE("a file put together from several runs has the bytes of one from one run") {
    // Texts among it, which come in any order.
    const Interrupted interrupted;
    run_struck(interrupted.study, every_block(interrupted.output, 2), 3);
    scenarios::run_study(interrupted.study, every_block(interrupted.folder / "y.h5"));
    const std::string a = read_text(interrupted.output), b = read_text(interrupted.folder / "y.h5");
    REQUIRE(a.size() == b.size());
    std::size_t n_other = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        n_other += a[i] != b[i];
    CHECK(n_other <= 20 + 4); // the time of day and the checksum over it
}

TEST_CASE("a cancelled run is gone on with, and tells how far it came") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("genotypes.toml", {"population.size=5000"});
    const scenarios::StudyReport whole = run(study, folder / "whole.h5");
    scenarios::RunStudyOptions options = every_block(folder / "x.h5");
    options.checkpoint_seconds = 1e6; // but for the last one
    Canceller canceller(4);
    const scenarios::StudyReport cancelled = scenarios::run_study(study, options, &canceller);
    CHECK(cancelled.run.was_cancelled);
    CHECK(cancelled.run.n_solves == 4096); // two blocks of 1024 in two arms
    CHECK_FALSE(std::filesystem::exists(folder / "x.h5"));
    Striker watcher(1000);
    const scenarios::StudyReport rest = scenarios::run_study(study, options, &watcher);
    CHECK(watcher.n_before == 4096);
    CHECK(rest.run.n_solves == 10000);
    CHECK(rest.results_sha256 == whole.results_sha256);
    CHECK(n_entries(folder.path()) == 2);
}

TEST_CASE("what an interrupted run of something else left is refused, or replaced if asked") {
    const Interrupted interrupted;
    const std::string before = read_text(interrupted.output.string() + ".part");
    for (const char* other : {"population.size=5001", "study.rtol=1e-7", "study.title=other"}) {
        CAPTURE(other);
        const std::string words = refusal(load("genotypes.toml", {"population.size=5000", other}),
                                          every_block(interrupted.output));
        CHECK(contains(words, "x.h5.part is what an interrupted run of something else left"));
        CHECK(contains(words, "--restart"));
    }
    scenarios::RunStudyOptions newer = every_block(interrupted.output);
    newer.version = "another";
    CHECK(contains(refusal(interrupted.study, newer), "interrupted run of something else"));
    CHECK(read_text(interrupted.output.string() + ".part") == before);
    scenarios::RunStudyOptions anew = every_block(interrupted.output);
    anew.restarts = true;
    const scenarios::Study smaller = load("genotypes.toml", {"population.size=3000"});
    CHECK(scenarios::run_study(smaller, anew).results_sha256 ==
          run(smaller, interrupted.folder / "y.h5").results_sha256);
    CHECK(n_entries(interrupted.folder.path()) == 2);
}

TEST_CASE("a torn journal, a missing part and half-written blocks cost time, never numbers") {
    const std::string whole = [] {
        const TemporaryFolder folder;
        return run(load("genotypes.toml", {"population.size=5000"}), folder / "x.h5")
            .results_sha256;
    }();
    const auto result = [](const Interrupted& interrupted) {
        return scenarios::run_study(interrupted.study, every_block(interrupted.output))
            .results_sha256;
    };
    {
        const Interrupted torn;
        const auto journal = torn.output.string() + ".part.journal";
        std::filesystem::resize_file(journal, std::filesystem::file_size(journal) / 2);
        CHECK(result(torn) == whole);
    }
    {
        const Interrupted partless;
        std::filesystem::remove(partless.output.string() + ".part");
        CHECK(result(partless) == whole);
    }
    {
        // Beyond what the journal tells of: a block that is done again, texts that were cut off.
        const Interrupted half;
        const auto part = half.output.string() + ".part";
        std::fstream file(part, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(-512, std::ios::end);
        file << std::string(512, 'x'); // of the last subjects
        file.close();
        std::ofstream(part + ".texts", std::ios::binary | std::ios::app) << "half a te";
        std::ofstream(part + ".journal.next") << "half a jour";
        CHECK(result(half) == whole);
    }
}

TEST_CASE("a finished part that was changed since is found, not published") {
    const Interrupted interrupted(9);
    const auto part = interrupted.output.string() + ".part";
    // In the curves, which come first: all blocks are done and not written again.
    std::fstream file(part, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(part) / 4));
    file << "changed!";
    file.close();
    const std::string words = refusal(interrupted.study, every_block(interrupted.output));
    CHECK(contains(words, "reads otherwise than it was written"));
    CHECK_FALSE(std::filesystem::exists(interrupted.output));
}

} // namespace gemel::tests
