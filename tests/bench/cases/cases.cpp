#include "case.hpp"
#include "solve/lane_engine.hpp"
#include "solve/rodas5p.hpp"
#include "solve/taylor.hpp"
#include "solve/tsit5.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gemel::bench {

std::vector<Case> all_cases() {
    return {w1(), w2(), w2h(), wg(), w3(), w4(), s30(), s200()};
}

int step_operations(const sim::CompiledSystem& system, std::string_view solver) {
    const struct {
        std::string_view name;
        const sim::StepMethod& method;
    } methods[] = {{"rodas5p", sim::rodas5p_method()},
                   {"tsit5", sim::tsit5_method()},
                   {"rodas5p-split", sim::rodas5p_split_method()},
                   {"tsit5-split", sim::tsit5_split_method()},
                   {"taylor9", sim::taylor_method()}};
    for (const auto& [name, method] : methods)
        if (name == solver)
            return sim::LaneMethod(system, method, {})
                .programs.programs[sim::step_program]
                .n_operations();
    throw std::invalid_argument("no lane method is called " + std::string(solver));
}

Task task_of(const sim::Problem& problem,
             std::span<const double> inputs,
             std::size_t stride,
             int n_patients) {
    Task task;
    task.n_patients = n_patients;
    task.stride = stride;
    task.inputs = inputs;
    task.times = problem.observation.sampled[0].times;
    task.end = problem.timeline.end;
    task.n_outputs = static_cast<int>(problem.observation.sampled.size());
    for (const sim::Record& record : problem.timeline.records)
        for (std::int64_t i = 0; i < record.count; ++i)
            task.doses.push_back({record.time + static_cast<double>(i) * record.interval,
                                  record.state,
                                  record.amount});
    std::stable_sort(task.doses.begin(), task.doses.end(), [](const Dose& a, const Dose& b) {
        return a.time < b.time;
    });
    return task;
}

Errors errors(const Task& task, std::span<const double> values, std::span<const double> reference) {
    const std::size_t n = task.times.size();
    double sum = 0.0, largest = 0.0;
    for (std::size_t first = 0; first < task.n_values(); first += n) {
        double peak = 0.0;
        for (std::size_t i = first; i < first + n; ++i)
            peak = std::max(peak, std::abs(reference[i]));
        for (std::size_t i = first; i < first + n; ++i) {
            const double size = std::abs(reference[i]) + 1e-3 * peak;
            const double error =
                size > 0.0 ? std::abs(values[i] - reference[i]) / size : std::abs(values[i]);
            sum += error * error;
            largest = std::max(largest, error);
        }
    }
    return {std::sqrt(sum / static_cast<double>(task.n_values())), largest};
}

std::vector<double>
first_patients(const Task& first, std::span<const double> values, int n_patients) {
    const std::size_t n = static_cast<std::size_t>(first.n_patients) * first.times.size(),
                      stride = static_cast<std::size_t>(n_patients) * first.times.size();
    std::vector<double> taken;
    for (std::size_t k = 0; k < static_cast<std::size_t>(first.n_outputs); ++k)
        taken.insert(taken.end(), values.data() + k * stride, values.data() + k * stride + n);
    return taken;
}

} // namespace gemel::bench
