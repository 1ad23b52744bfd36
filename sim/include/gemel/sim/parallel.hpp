#pragma once

#include <cstddef>
#include <functional>
#include <span>

/// Threads. The source of this header is the only one that sees TBB (or std::thread, for the thread
/// sanitizer).
namespace gemel::sim {

/// Runs `body(i, worker)` for i in [0, count) on `n_threads` threads (0: all cores). `worker` is in
/// [0, workers(n_threads)): tasks with one worker number never run at the same time, so it may
/// index per-worker storage. The first exception thrown stops the rest and is rethrown here.
void parallel_for(std::size_t count,
                  int n_threads,
                  const std::function<void(std::size_t index, int worker)>& body);

/// How many worker numbers parallel_for(…, n_threads, …) uses; 0 means all cores.
int workers(int n_threads);

/// Sum in leaves of 64 and a fixed binary tree over leaves: the same bits however it is split.
double ordered_sum(std::span<const double> values);

} // namespace gemel::sim
