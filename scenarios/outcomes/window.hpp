#pragma once

#include <gemel/scenarios/outcome.hpp>

#include <optional>
#include <span>

/// What outcome functions share: their output, their window and constants with units.
namespace gemel::scenarios {

/// A stretch of the study, in model time.
struct Window {
    double from = 0.0;
    double to = 0.0;
};

/// Reads the arguments of one call; every mistake points at the argument it is about.
class OutcomeArguments {
public:
    OutcomeArguments(const OutcomeCall& call,
                     const OutcomeContext& context,
                     sim::DiagnosticList& diagnostics);

    /// The first argument, an output of the model. @returns −1 after a mistake
    int output();
    const sim::Unit& output_unit(int output) const;
    const sim::Unit& time_unit() const;

    /// A constant such as `0.2[mg/L]`, in `unit`. `what` is "the threshold of time_above".
    std::optional<double>
    constant(std::size_t argument, const sim::Unit& unit, const std::string& what);

    /// The arguments from `first` on: `first_interval`, `last_interval`, or a start and an end.
    std::optional<Window> window(std::size_t first);

    /// Just before the dose that would follow the last interval, or the argument if there is one.
    std::optional<double> trough_time(std::size_t first);

private:
    std::optional<Window> named_window(const sim::SourceText& word);
    std::optional<Window> first_interval(const sim::SourceSpan& span);
    std::string no_dose_text(const std::string& interval) const;
    std::optional<Window> last_interval(const sim::SourceSpan& span, const std::string& help);
    std::optional<Window> checked(Window window, const sim::SourceSpan& span);
    std::string trough_help() const;
    bool has_at_most(std::size_t n_arguments);

    const OutcomeCall& call_;
    const OutcomeContext& context_;
    sim::DiagnosticList& diagnostics_;
};

/// The value of a constant expression in a unit; nothing after a mistake.
std::optional<double> constant_in(const sim::SourceText& text,
                                  const sim::Unit& unit,
                                  const sim::Unit& time_unit,
                                  const std::string& what,
                                  sim::DiagnosticList& diagnostics);

} // namespace gemel::scenarios
