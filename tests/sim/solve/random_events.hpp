#pragma once

#include "sim/solve/problems.hpp"

#include <gemel/sim/random.hpp>

#include <limits>
#include <span>
#include <string_view>
#include <vector>

/// Random event tables, as a data file might hold them, and models that answer them; the same for
/// the same number on every machine. Most times stand on a grid of 1/8 h, so that many coincide.
namespace gemel::sim {

/// Draws by Philox.
class EventDice {
public:
    EventDice(std::string_view purpose, std::uint64_t number);
    double uniform() { return stream_.uniform(); }
    double between(double low, double high) { return low + (high - low) * uniform(); }
    int below(int n) { return static_cast<int>(uniform() * n); }
    bool happens(double probability) { return uniform() < probability; }
    double one_of(std::span<const double> values);
    /// A time in [from, to], three times of four on the grid.
    double time(double from, double to);
    double on_grid(double from, double to);

private:
    RandomStream stream_;
};

/// One subject: records and samples in the order of its lines, and its rows of inputs.
struct EventTable {
    SubjectTimeline own;
    std::vector<std::vector<double>> rows;
};

/// What all the models here have in front of their other inputs.
enum PkInput {
    in_cl,
    in_v,
    in_ka,
    in_lag_depot,
    in_f_depot,
    in_lag,
    in_f,
    in_rate,
    in_duration,
    in_weight,
    n_pk_inputs
};
enum PkState { depot_state, central_state };

/// Depot, central and up to two peripheral compartments, and the area under C. Lag and
/// bioavailability of depot and central; modelled rate and duration of central. Further inputs: Q
/// and V of each peripheral compartment. Outputs: C, depot, area. Without area: a closed form.
Problem linear_pk(int n_compartments, bool has_area);
/// The same, C driving a turnover with a baseline. Further inputs: kout, baseline, IC50. Outputs
/// besides: effect.
Problem turnover_pk();
/// One compartment that Vmax, Km empty beside CL.
Problem saturable_pk();
/// One compartment whose drug binds a target. Further inputs: kon, koff, kint, kdeg, R0.
Problem target_pk();

/// A subject's inputs for linear_pk(). Rates per hour between 0.03 and 3.
std::vector<double> random_pk_row(EventDice& dice, int n_compartments);

struct TableOptions {
    double start = 0.0, end = 96.0;
    int n_compartments = 1;
    bool has_switches = false; ///< rows of inputs that change
    bool keeps_lag = false;    ///< … but for lags
    bool has_changes = false;  ///< resets, set and multiply
    bool has_steady = false;
    bool has_modelled = true;
    bool on_grid = false; ///< all times, lags and durations: sums of them have no rounding
};
EventTable random_table(EventDice& dice, const TableOptions& options);
/// A dose with repeats; by modelled rate or duration only into central.
Record random_dose(EventDice& dice, double time, const TableOptions& options);

/// Every repeat as a record of its own, standing where the first one stands.
EventTable written_out(const EventTable& table);

/// Solves tables as one block; outputs are taken at own samples. Subjects stop at `park_at` and go
/// on from `parked`, if there is any.
BlockResult solve_tables(const Solver& solver,
                         const CompiledSystem& system,
                         const Problem& problem,
                         std::span<const EventTable> tables,
                         const SolverOptions& options,
                         double park_at = std::numeric_limits<double>::infinity(),
                         std::span<const ParkedSubject> parked = {});

/// A subject's own values of an output.
std::span<const double> own_values(const BlockResult& result, int output, std::size_t subject);
/// Observes all outputs, and their largest values from `start` to `end`.
void observe_everything(Problem& problem, double start, double end);
/// Largest |a − b| among own samples, against the largest value b's output ever has in that subject
/// (of observe_everything()), or 1e-6; infinity if anything is not finite.
double gap_of(const BlockResult& a, const BlockResult& b, int output, std::size_t subject);
/// The largest gap of all outputs and subjects.
double largest_gap(const BlockResult& a, const BlockResult& b);
/// Whether all own values and statuses are the same, bit for bit.
bool same_bits(const BlockResult& a, const BlockResult& b);

/// A table's records in words, to be shown beside a failure.
std::string text_of(const EventTable& table);

} // namespace gemel::sim
