#include "solve/cvode.hpp"

#include "solve/cvode_integrator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace gemel::sim {
namespace {

class CvodeMethod : public ScalarMethod {
public:
    CvodeMethod(const CompiledSystem& system,
                const ProgramSet& programs,
                const SolverOptions& options)
        : system_(jacobian_pattern(system.structure),
                  system.system,
                  programs,
                  n_common_programs,
                  options.rtol),
          integrator_(system_, options.max_steps) {}

    SolverStatus begin(const ScalarSubject& subject) override {
        system_.load(subject);
        integrator_.begin();
        return SolverStatus::ok;
    }

    SolverStatus change(const ScalarSubject& subject) override {
        system_.load(subject);
        return SolverStatus::ok;
    }

    std::vector<double> sizes() const override { return system_.weights().scale(); }
    void
    go_on(std::span<const double> sizes, std::int64_t n_steps, std::int64_t n_rejected) override {
        system_.weights().go_on(sizes);
        integrator_.begin(n_steps, n_rejected);
    }

    SolverStatus advance(ScalarSegment& segment, const ShowPiece& show) override {
        const std::span<double> y = values(integrator_.y());
        std::copy(segment.states.begin(), segment.states.end(), y.begin());
        system_.set_infusion(segment.infusion);
        const SolverStatus status = march(segment, show);
        segment.reached = integrator_.time();
        std::copy_n(y.begin(), segment.states.size(), segment.states.begin());
        return status;
    }

private:
    SolverStatus march(ScalarSegment& segment, const ShowPiece& show) {
        SolverStatus status = integrator_.restart(segment.from, segment.to);
        while (status == SolverStatus::ok && integrator_.time() < segment.to) {
            const double from = integrator_.time();
            status = integrator_.step();
            segment.n_steps = integrator_.n_steps();
            segment.n_rejected = integrator_.n_rejected();
            if (status == SolverStatus::ok && !show_step(from, show)) break;
        }
        return status;
    }

    bool show_step(double from, const ShowPiece& show) {
        const double to = integrator_.time();
        return show(from, to, [&](double theta, double* states) {
            integrator_.states_at(from + theta * (to - from), states);
        });
    }

    CvodeSystem system_;
    CvodeIntegrator integrator_;
};

std::vector<ProgramSpec> cvode_programs(CompiledSystem& system) {
    return {scalar_rates_program(system),
            jacobian_program(system, jacobian_pattern(system.structure))};
}

} // namespace

bool cvode_applies(const CompiledSystem&) {
    return true;
}

std::unique_ptr<PreparedSolver> prepare_cvode(const CompiledSystem& system,
                                              const SolverOptions& options) {
    if (!(options.rtol > 0.0 && options.rtol < 1.0))
        throw std::invalid_argument(
            fmt::format("cvode: rtol must lie in (0, 1), got {}", options.rtol));
    return std::make_unique<ScalarPrepared>(
        system, options, cvode_programs, [options](const CompiledSystem& s, const ProgramSet& set) {
            return std::make_unique<CvodeMethod>(s, set, options);
        });
}

} // namespace gemel::sim
