#pragma once

#include "solve/error_scale.hpp"
#include "solve/observer.hpp"
#include "solve/passage.hpp"

#include <gemel/sim/ode_system.hpp>

#include <span>
#include <vector>

/// States that repeat themselves under doses one interval apart: the fixed point of the map P that
/// carries states over one interval. Newton's method on P(x) − x, the derivative of P from
/// differences: for linear systems that is the closed form (I − Φ)⁻¹·b. Theory manual: events.md.
/// Allocates nothing for a block like one before it.
namespace gemel::sim {

class SteadyStates {
public:
    explicit SteadyStates(const CompiledSystem& system);

    /// Nothing is known of a new block.
    void begin(const BlockProblem& problem, const BlockSetup& setup);
    /// Adds patterns of one subject, already expanded. @returns number of the first
    int add(const SubjectEvents& events);
    /// Finds the states of all patterns just before their records' times.
    void find(StateCarrier& carrier);

    SolverStatus status(int pattern) const;
    /// [n_states]; states that nothing depends on have no steady state and their initial values.
    std::span<const double> states(int pattern) const;

private:
    /// One pattern on its way to its fixed point.
    struct SearchState {
        double residual = 0.0, last_residual = 0.0; ///< of x and the x before, relative
        double period = 0.0;
        int n_newton = 0, n_chord = 0, n_blind = 0;
        bool has_factors = false, is_blind = false, is_done = false;
        SolverStatus status = SolverStatus::ok;
    };
    struct Search : SearchState {
        int subject = 0;
        SteadyPattern pattern;
        std::vector<DoseDerivative> derivatives; ///< [n_wrt]
        std::vector<double> scale;               ///< [n_states] sizes below which nothing counts
        std::vector<double> x, image;            ///< [n_states], P(x)
        std::vector<double> factors;             ///< [n_live²] of I − P', as LU
        std::vector<int> pivots;
    };

    std::size_t n_live() const { return live_.size(); }
    void begin_search(Search& search);
    bool is_off(const Search& search, int state) const;
    void switch_off(const Search& search, std::vector<double>& states) const;
    void add_passage(const Search& search, std::span<const double> from);
    std::span<Passage> passages() { return std::span(passages_).first(n_passages_); }
    void fill_period(const Search& search, Expansion& period) const;
    void stop_on_the_way(const Search& search, double from, std::vector<Event>& events) const;
    void keep_earlier_doses(const Search& search, double before, std::vector<double>& states) const;
    void search_together(std::span<Search*> searches, StateCarrier& carrier);
    void repeat_plainly(std::span<Search*> searches, StateCarrier& carrier);
    void look(std::span<Search*> searches, StateCarrier& carrier);
    void take_image(Search& search, std::span<const Passage> passages);
    void factorise(Search& search, std::span<const Passage> passages);
    void step(Search& search);
    double perturbation(const Search& search, int state) const;
    static double size(const Search& search, std::size_t state);
    double relative(const Search& search, std::span<const double> change) const;
    void find_correction(const Search& search);
    void solve(const Search& search);
    bool is_determined(const Search& search);
    void go_on_blindly(Search& search) const;
    void finish(Search& search);

    const OdeSystem& system_;
    bool is_linear_ = false;
    int n_states_ = 0, n_own_ = 0;
    ErrorScales scales_;
    std::vector<int> live_; ///< states with a steady state
    const BlockProblem* problem_ = nullptr;
    const BlockSetup* setup_ = nullptr;
    double tolerance_ = 0.0;
    // Storage that blocks find again.
    std::vector<Search> searches_;
    std::size_t n_searches_ = 0; ///< of this block
    std::vector<Passage> passages_;
    std::size_t n_passages_ = 0; ///< to be carried
    std::vector<Search*> group_, active_;
    std::vector<std::size_t> first_passage_;
    Expansion period_;
    std::vector<double> from_, change_, error_, right_, solved_, initial_;
};

} // namespace gemel::sim
