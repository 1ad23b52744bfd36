#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/sim/units.hpp>

#include <optional>
#include <string>
#include <vector>

/// `[policies.NAME]` as written.
namespace gemel::scenarios {

/// An amount such as "30 mg"; nothing after a mistake, or where it is not said.
struct AmountWords {
    sim::SourceSpan span;
    std::optional<sim::Quantity> amount;
};

struct PolicyWords {
    enum class Kind { equation, recommendations, matches, none };
    std::string name;
    sim::SourceSpan span;
    Kind kind = Kind::none; ///< none: a mistake, told already
    std::string file;       ///< of an equation or recommendations
    sim::SourceSpan file_span;
    sim::SourceText matches, target; ///< target: empty where it is not said
    io::TomlView given, reference, assume;
    std::string patients; ///< "" where it is not said
    sim::SourceSpan patients_span;
    int part_of_range = 1; ///< lower, middle, upper
    AmountWords usual, not_known, round_to;
    io::TomlView within;
};

void describe_policy(io::Fields& fields, PolicyWords& words);

/// An amount; a mistake at `span` where the text is none.
std::optional<sim::Quantity> read_amount(const io::TomlView& view,
                                         sim::DiagnosticList& diagnostics);

} // namespace gemel::scenarios
