#pragma once

#include "model_words.hpp"

#include <gemel/sim/equations.hpp>

#include <map>
#include <string>
#include <vector>

/// What a name in a model means: one name, one meaning, across all kinds.
namespace gemel::pkpd {

enum class SymbolKind {
    parameter,
    covariate,
    category,
    map,
    state,
    definition,
    enzyme,
    clearance,
    first_pass
};
std::string_view name(SymbolKind kind); ///< "a parameter", …

struct Symbol {
    SymbolKind kind = SymbolKind::parameter;
    int index = 0;    ///< in the words' list of its kind; of a definition in the equations
    int category = 0; ///< of a category indicator
    sim::SourceSpan span;
    bool is_mentioned = false; ///< by an equation, a scale, a value or an output
    bool is_ambiguous = false; ///< declared twice: what it means is open

    enum class Progress { waiting, under_way, done, failed };
    Progress progress = Progress::waiting;
    sim::TypedExpr value; ///< when done
};

class SymbolTable {
public:
    /// Mistakes: a name that is no identifier, is reserved, or is taken (both places are told).
    void declare(const std::string& name, Symbol symbol, sim::DiagnosticList& diagnostics);

    Symbol* find(const std::string& name);
    std::vector<std::string> names() const;
    std::vector<std::string> names(SymbolKind kind) const;

private:
    std::map<std::string, Symbol> symbols_;
};

} // namespace gemel::pkpd
