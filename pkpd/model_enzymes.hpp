#pragma once

#include "model_names.hpp"

#include <gemel/sim/expression.hpp>

#include <functional>
#include <optional>

/// Enzymes, what acts on them, and clearances made of pathways. Theory manual: clearance.md.
namespace gemel::pkpd {

class ModelLowering;

/// The part of ModelLowering that knows enzymes. Its quantities are names as any others: CYP3A4 is
/// the enzyme's activity relative to the reference patient's without co-medication,
///
///     CYP3A4 = ontogeny · E · Π class factors / (1 + Σ I/Ki),
///     dE/dt  = kdeg · (1 + Σ Emax·I/(EC50 + I) − E) − E · Σ kinact·I/(KI + I),  E(0) = 1,
///
/// and a clearance follows from its pathways and the well-stirred liver.
class EnzymeLowering {
public:
    explicit EnzymeLowering(ModelLowering& whole) : whole_(whole) {}

    void declare();
    using Mark = std::function<void(const std::optional<sim::SourceText>& text, int scope)>;
    void mark(const Mark& mark_all); ///< what its texts mention
    void add_amounts();              ///< the states E, behind the model's own
    void lower_amounts();
    std::optional<sim::TypedExpr> evaluate(const Symbol& symbol);
    void evaluate_all(); ///< what nobody mentions is checked all the same
    using Tell =
        std::function<void(const std::string& name, const sim::SourceSpan& span, const char* kind)>;
    void tell_unused(const Tell& tell);

private:
    struct Liver;

    bool is_known(const std::string& enzyme, const sim::SourceSpan& span);
    bool has_amount(const std::string& enzyme) const;
    void mark_class(const InteractionWords& interaction);
    void lower_amount(const EnzymeWords& enzyme);
    std::optional<sim::Expr> synthesis(const EnzymeWords& enzyme);
    std::optional<sim::Expr> inactivation(const EnzymeWords& enzyme);
    std::optional<sim::TypedExpr> activity(const EnzymeWords& enzyme);
    std::optional<sim::Expr> class_factor(const InteractionWords& interaction);
    std::optional<sim::Expr> competition(const InteractionWords& interaction);
    std::optional<sim::Expr> saturation(const InteractionWords& interaction,
                                        const std::optional<sim::SourceText>& half,
                                        const char* what);
    std::optional<Liver> liver(const ClearanceWords& words);
    std::optional<sim::Expr> relative_intrinsic(const ClearanceWords& words, sim::Expr renal);
    std::optional<sim::Expr> pathway_activity(const ClearanceWords& words,
                                              const ClearanceWords::Pathway& pathway);
    std::optional<sim::TypedExpr> clearance(const ClearanceWords& words);
    std::optional<sim::TypedExpr> first_pass(const ClearanceWords& words);
    std::optional<sim::Expr> number(const std::optional<sim::SourceText>& text,
                                    int scope,
                                    const std::string& what,
                                    double absent);
    void check_shares(const ClearanceWords& words);
    std::optional<double> known_value(const std::optional<sim::SourceText>& text, int scope);

    ModelLowering& whole_;
};

} // namespace gemel::pkpd
