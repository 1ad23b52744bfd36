#include "../solve/lane_systems.hpp"

#include <gemel/sim/run.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <stdexcept>

using namespace lane_systems;

namespace {

constexpr int n_subjects = 300;

/// Two arms of a turnover system under Rodas5P.
struct Study {
    CompiledSystem system = turnover();
    std::unique_ptr<PreparedSolver> solver = find_solver("rodas5p")->prepare(system, {});
    std::vector<double> inputs = turnover_inputs(n_subjects);
    RunRequest request;

    Study() {
        request.system = &system;
        Observation observation = on_grid(2, 4.0, 96.0);
        observation.functionals.push_back({FunctionalKind::integral, 0, 24.0, 96.0});
        for (double dose : {10.0, 20.0})
            request.arms.push_back({daily(dose, 4, 96.0), observation, solver.get()});
        request.subjects = {0, 0, n_subjects};
        request.block_size = 64;
        request.n_threads = 1;
        request.inputs = [this](const SubjectRange& range, std::span<double> columns) {
            for (std::size_t i = 0; i < columns.size() / range.count; ++i)
                std::copy_n(inputs.data() + i * n_subjects + range.first,
                            range.count,
                            columns.data() + i * range.count);
        };
    }
};

bool same(const MemorySink::View& a, const MemorySink::View& b) {
    const auto size = static_cast<std::size_t>(a.shape[0] * a.shape[1]);
    return a.shape[0] == b.shape[0] && a.shape[1] == b.shape[1] &&
           std::memcmp(a.data, b.data, size * sizeof(double)) == 0;
}

bool same(const MemorySink& a, const MemorySink& b) {
    bool is_same = true;
    for (int arm : {0, 1})
        is_same = is_same && same(a.sampled(arm, 0), b.sampled(arm, 0)) &&
                  same(a.sampled(arm, 1), b.sampled(arm, 1)) &&
                  same(a.functionals(arm), b.functionals(arm));
    return is_same;
}

class Counter : public Monitor {
public:
    explicit Counter(std::uint64_t stop_after = UINT64_MAX) : stop_after_(stop_after) {}
    void advance(std::uint64_t n, std::uint64_t) override { n_solves += n; }
    bool is_cancelled() const override { return n_solves >= stop_after_; }
    std::atomic<std::uint64_t> n_solves = 0;

private:
    std::uint64_t stop_after_;
};

} // namespace

TEST_CASE("threads and blocks change no bit of a run") {
    Study study;
    MemorySink one(study.request);
    const RunReport report = run(study.request, one);
    CHECK(report.n_solves == 2 * n_subjects);
    CHECK(report.status_counts[0][0] == n_subjects);
    for (const auto& [threads, block] : {std::pair{2, 64}, {3, 64}, {1, 17}, {2, 300}}) {
        study.request.n_threads = threads;
        study.request.block_size = static_cast<std::uint64_t>(block);
        MemorySink other(study.request);
        run(study.request, other);
        CHECK(same(one, other));
    }
}

TEST_CASE("a range of subjects is equal to that part of the whole") {
    Study study;
    MemorySink whole(study.request);
    run(study.request, whole);
    study.request.subjects = {0, 100, 50};
    MemorySink part(study.request);
    run(study.request, part);
    const auto a = whole.sampled(1, 1), b = part.sampled(1, 1);
    CHECK(b.shape[0] == 50);
    CHECK(std::memcmp(a.data + 100 * a.shape[1],
                      b.data,
                      50 * 8 * static_cast<std::size_t>(a.shape[1])) == 0);
    CHECK(part.functionals(1).data[0] == whole.functionals(1).data[100]);
}

TEST_CASE("the order in which blocks are done changes no bit of a run") {
    // Invariant: the halves one after the other, the last first or the first first; neither is a
    // whole number of blocks.
    Study study;
    MemorySink whole(study.request), forward(study.request), backward(study.request);
    run(study.request, whole);
    const SubjectRange first{0, 0, 150}, last{0, 150, 150};
    for (const auto& [sink, ranges] :
         {std::pair{&forward, std::pair{first, last}}, {&backward, {last, first}}})
        for (const SubjectRange& range : {ranges.first, ranges.second}) {
            study.request.subjects = range;
            run(study.request, *sink);
        }
    for (const MemorySink* sink : {&forward, &backward}) {
        CHECK(same(whole, *sink));
        for (int arm : {0, 1}) {
            const auto a = whole.status(arm), b = sink->status(arm);
            CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
        }
    }
}

TEST_CASE("an arm's results do not depend on the other arms") {
    Study study;
    MemorySink both(study.request);
    run(study.request, both);
    study.request.arms.erase(study.request.arms.begin());
    MemorySink alone(study.request);
    run(study.request, alone);
    CHECK(same(both.sampled(1, 0), alone.sampled(0, 0)));
}

TEST_CASE("a cancelled run stops between blocks, with whole blocks written") {
    Study study;
    MemorySink sink(study.request);
    Counter counter(1);
    const RunReport report = run(study.request, sink, &counter);
    CHECK(report.was_cancelled);
    CHECK(report.n_solves == 2 * 64); // the first block in both arms
    CHECK(counter.n_solves == report.n_solves);
    CHECK(std::isfinite(sink.sampled(1, 0).data[0]));
    CHECK(std::isnan(sink.sampled(0, 0).data[64 * sink.sampled(0, 0).shape[1]]));
}

TEST_CASE("requests that cannot be run are refused") {
    Study study;
    MemorySink sink(study.request);
    RunRequest request = study.request;
    request.block_size = 0;
    CHECK_THROWS_AS(run(request, sink), std::invalid_argument);
    request = study.request;
    request.arms[1].solver = nullptr;
    CHECK_THROWS_AS(run(request, sink), std::invalid_argument);
    request = study.request;
    request.arms[0].timeline.records[0].state = 9;
    CHECK_THROWS_AS(run(request, sink), std::invalid_argument);
    request = study.request;
    request.arms[0].observation.functionals[0].to = 1e9;
    CHECK_THROWS_AS(run(request, sink), std::invalid_argument);
}
