#include <gemel/sim/parallel.hpp>

#include <stdexcept>
#include <string>

#ifdef GEMEL_STD_THREADS
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>
#else
#include <tbb/blocked_range.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#endif

#include <algorithm>

namespace gemel::sim {
namespace {

#ifdef GEMEL_STD_THREADS

int all_cores() {
    const unsigned n = std::thread::hardware_concurrency();
    return n == 0 ? 1 : static_cast<int>(n);
}

void run_on(int n_workers, std::size_t count, const std::function<void(std::size_t, int)>& body) {
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stop{false};
    std::exception_ptr first_error;
    std::mutex error_mutex;
    const auto work = [&](int worker) {
        for (std::size_t i = next++; i < count && !stop; i = next++) {
            try {
                body(i, worker);
            } catch (...) {
                const std::scoped_lock lock(error_mutex);
                if (!first_error) first_error = std::current_exception();
                stop = true;
            }
        }
    };
    std::vector<std::jthread> threads; // joined however this function is left
    try {
        for (int worker = 1; worker < n_workers; ++worker)
            threads.emplace_back(work, worker);
    } catch (const std::system_error&) {
        // No more threads to be had: those there are do the work, with the same results.
    }
    work(0);
    threads.clear();
    if (first_error) std::rethrow_exception(first_error);
}

#else

int all_cores() {
    return tbb::info::default_concurrency();
}

void run_on(int n_workers, std::size_t count, const std::function<void(std::size_t, int)>& body) {
    // TBB never runs more threads than cores, and says so on stderr when an arena asks for them.
    // One index per task: a body is a block of subjects, large beside the cost of a task.
    tbb::task_arena arena(std::min(n_workers, all_cores()));
    arena.execute([&] {
        tbb::parallel_for(
            tbb::blocked_range<std::size_t>(0, count, 1),
            [&](const tbb::blocked_range<std::size_t>& range) {
                for (std::size_t i = range.begin(); i < range.end(); ++i)
                    body(i, tbb::this_task_arena::current_thread_index());
            },
            tbb::simple_partitioner{});
    });
}

#endif

} // namespace

int workers(int n_threads) {
    constexpr int most_threads = 4096; // of one machine; more is a mistake in the caller's number
    if (n_threads < 0 || n_threads > most_threads)
        throw std::invalid_argument("n_threads is " + std::to_string(n_threads) +
                                    "; 0 (all cores) to 4096 is expected");
    return n_threads == 0 ? all_cores() : n_threads;
}

void parallel_for(std::size_t count,
                  int n_threads,
                  const std::function<void(std::size_t index, int worker)>& body) {
    const std::size_t n_workers = std::min(static_cast<std::size_t>(workers(n_threads)), count);
    if (n_workers > 1) return run_on(static_cast<int>(n_workers), count, body);
    for (std::size_t i = 0; i < count; ++i)
        body(i, 0);
}

} // namespace gemel::sim
