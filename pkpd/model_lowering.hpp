#pragma once

#include "model_enzymes.hpp"
#include "model_names.hpp"

#include <gemel/sim/equations.hpp>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gemel::pkpd {

/// From composed words to the OdeSystem: names resolved, units checked and converted. Expects
/// model.parameters, .covariates and .maps to stand one to one with the words, and fills
/// model.system and model.inputs. What depends on a mistake is not checked further, so that one
/// mistake is told once.
class ModelLowering {
public:
    ModelLowering(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics);
    void run();

private:
    friend class EnzymeLowering;
    void declare_names();
    void declare_equations();
    void mark_mentioned();
    void add_inputs();
    sim::Expr add_input(const std::string& name, const sim::Unit& unit, InputSource source);
    void add_states();
    void add_state(const sim::Equation& rate);
    void lower_rates();
    void lower_rate(const EquationWords& line);
    void lower_dose_property(const EquationWords& line);
    void add_transits();
    sim::TypedExpr time_since_dose();
    void add_last_dose();
    void lower_outputs();
    void lower_rest();
    void tell_unused();
    void check_needs();
    bool is_met(const NeedWords& need);
    Symbol* find(const std::string& word, int scope);

    /// A name's value, worked out on first use; nullptr if it is unknown or has a mistake.
    const sim::TypedExpr* value_of(const std::string& name, Symbol& symbol);
    std::optional<sim::TypedExpr> evaluate(const Symbol& symbol);
    std::optional<sim::TypedExpr> individual_parameter(int index);
    std::optional<sim::TypedExpr> typical_value(int index);
    sim::Expr with_effect(int index, sim::Expr typical);
    void tell_cycle(const std::string& name);
    void tell_depth(const std::string& name, const Symbol& symbol);

    /// Nothing after a mistake, in this text or in what it depends on.
    std::optional<sim::TypedExpr> parse(const sim::SourceText& text, int scope, bool allows_time);
    /// As parse, of inputs only, in a unit; `what` is told in messages.
    std::optional<sim::Expr> parse_constant(const sim::SourceText& text,
                                            int scope,
                                            const sim::Unit& unit,
                                            const std::string& what);
    std::optional<sim::Expr> convert(const sim::TypedExpr& typed,
                                     const sim::Unit& unit,
                                     const std::string& what,
                                     const sim::SourceSpan& span);
    sim::ExpressionContext context(int scope, bool allows_time);
    const StateWords* state_words(const std::string& name) const;

    const ModelWords& words_;
    Model& model_;
    sim::OdeSystem& system_;
    sim::DiagnosticList& diagnostics_;
    SymbolTable symbols_;
    EnzymeLowering enzymes_{*this};
    std::vector<std::string> under_way_;
    std::set<std::pair<int, std::string>> bad_needs_; ///< scope and name: told already
    bool is_depth_told_ = false;
    std::vector<sim::Expr> theta_, eta_; ///< eta_: of all levels together
    struct Transit {
        sim::Expr number, mean_time;
        sim::SourceSpan span;
    };
    std::map<std::string, Transit> transits_; ///< by state
    /// Stands in expressions for the state that is added last.
    static constexpr int unknown_last_dose = 1 << 20;
    bool mentions_last_dose_ = false;
};

} // namespace gemel::pkpd
