#include "model_uses.hpp"

#include <gemel/pkpd/file_format.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gemel::pkpd {

namespace {

std::string place(const sim::SourceSpan& span) {
    return span.file ? fmt::format("line {} of {}", span.line, span.file->name) : "elsewhere";
}

template <class Rows>
auto find_row(Rows& rows, const std::string& name) {
    return std::ranges::find_if(rows, [&](const auto& row) { return row.name == name; });
}

/// Builds the whole from its files, used ones first. Renames while appending, so that everything
/// after it knows one name space.
class Composer {
public:
    Composer(ModelWords& whole, const io::Library& library, sim::DiagnosticList& diagnostics)
        : whole_(whole),
          library_(library),
          diagnostics_(diagnostics) {}

    void add_own(ModelWords own, const std::filesystem::path& file) {
        Scope first;
        first.file = file;
        first.root = own.root;
        whole_.scopes.push_back(std::move(first));
        take_needs(own, 0);
        add_file(own, 0);
        prefer_own_default_route();
    }

private:
    Scope& scope(int index) { return whole_.scopes[static_cast<std::size_t>(index)]; }

    void add_file(ModelWords& words, int index) {
        std::error_code error;
        under_way_.push_back(std::filesystem::weakly_canonical(scope(index).file, error));
        for (const UseWords& use : words.uses)
            add_use(use, index);
        append(words, index);
        whole_.scope_order.push_back(index);
        under_way_.pop_back();
    }

    void add_use(const UseWords& use, int user) {
        if (use.file.empty()) return; // told already
        const auto file = find_model(use.file, scope(user).file, use.span, library_, diagnostics_);
        if (file.empty()) return;
        std::error_code error;
        const auto canonical = std::filesystem::weakly_canonical(file, error);
        if (std::ranges::count(under_way_, canonical) > 0) {
            diagnostics_.add(use.span, fmt::format("'{}' uses itself", use.file));
            return;
        }
        const std::string prefix = scope(user).prefix + use.prefix;
        const auto key = std::pair(canonical.string(), prefix);
        const auto known = added_.find(key);
        if (known != added_.end() && use.with.empty() && scope(known->second).with.empty())
            return give_names(known->second, user, use.prefix);
        const int index = new_scope(use, file, prefix, user);
        added_.emplace(key, index);
        ModelWords words;
        if (!read_model_words(file, words, diagnostics_)) return;
        scope(index).root = words.root;
        whole_.n_mistakes_in_tests += words.n_mistakes_in_tests;
        take_needs(words, index);
        check_with(use, index);
        keep_text(words.root.span().file);
        if (is_clash_told(use, words, prefix)) return;
        add_file(words, index);
        give_names(index, user, use.prefix);
    }

    void keep_text(const std::shared_ptr<const sim::SourceFile>& file) {
        if (std::ranges::none_of(whole_.used_files,
                                 [&](const auto& known) { return known->name == file->name; }))
            whole_.used_files.push_back(file);
    }

    int new_scope(const UseWords& use,
                  const std::filesystem::path& file,
                  const std::string& prefix,
                  int user) {
        Scope entry;
        entry.user = user;
        entry.prefix = prefix;
        entry.file = file;
        entry.used_at = use.span;
        entry.with = use.with;
        whole_.scopes.push_back(std::move(entry));
        return static_cast<int>(whole_.scopes.size()) - 1;
    }

    void take_needs(const ModelWords& words, int index) {
        for (const NeedWords& need : words.needs)
            scope(index).needs.insert(need.name);
    }

    /// Two used files with names in common are told once, and the second is left out.
    bool is_clash_told(const UseWords& use, const ModelWords& words, const std::string& prefix) {
        std::string names;
        std::string other;
        const auto meet = [&](const auto& rows, const auto& known) {
            for (const auto& row : rows) {
                const auto taken = find_row(known, prefix + row.name);
                if (taken == known.end()) continue;
                names += (names.empty() ? "" : ", ") +
                         fmt::format(
                             "{} (line {} and line {})", row.name, row.span.line, taken->span.line);
                if (other.empty() && taken->span.file) other = taken->span.file->name;
            }
        };
        meet(words.parameters, whole_.parameters);
        meet(words.maps, whole_.maps);
        meet(words.states, whole_.states);
        meet(words.outputs, whole_.outputs);
        meet(words.routes, whole_.routes);
        if (names.empty()) return false;
        diagnostics_.add(use.span,
                         fmt::format("'{}' and {} both name {}", use.file, other, names),
                         fmt::format("write {{ file = \"{}\", as = \"b_\" }}, and its names "
                                     "begin with b_ in this model",
                                     use.file));
        return true;
    }

    void check_with(const UseWords& use, int index) {
        const std::set<std::string>& needs = scope(index).needs;
        for (const auto& [need, name] : use.with)
            if (!needs.contains(need))
                diagnostics_.add(use.span,
                                 fmt::format("'{}' needs no '{}'", use.file, need),
                                 sim::suggest(need, std::vector(needs.begin(), needs.end())));
    }

    /// A used file's names, as its user writes them.
    void give_names(int used, int user, const std::string& prefix) {
        const Scope from = scope(used);
        for (const auto& [name, whole] : from.names) {
            scope(user).names.emplace(is_of_patient(name) ? name : prefix + name, whole);
        }
    }

    /// Covariates and enzymes have one name in all files.
    bool is_of_patient(const std::string& name) {
        return find_row(whole_.covariates, name) != whole_.covariates.end() ||
               std::ranges::any_of(whole_.enzymes, [&](const EnzymeWords& enzyme) {
                   return name == enzyme.name || name == amount_of(enzyme.name);
               });
    }

    /// The whole's name of something that this file declares.
    std::string declare(int index, const std::string& name) {
        const std::string whole = scope(index).prefix + name;
        scope(index).names[name] = whole;
        return whole;
    }

    std::string of_file(int index, const std::string& name) {
        const auto& names = scope(index).names;
        const auto found = names.find(name);
        return found == names.end() ? name : found->second;
    }

    void append(ModelWords& words, int index) {
        for (ParameterWords& row : words.parameters)
            append_parameter(row, index);
        for (MapWords& row : words.maps) {
            row.scope = index;
            row.name = declare(index, row.name);
            whole_.maps.push_back(std::move(row));
        }
        for (CovariateWords& row : words.covariates)
            append_covariate(row, index);
        for (StateWords& row : words.states) {
            row.name = declare(index, row.name);
            if (!row.molar_mass) row.molar_mass = words.molar_mass;
            whole_.states.push_back(std::move(row));
        }
        append_enzymes(words, index);
        append_equations(words.equations, index);
        for (OmegaWords& row : words.omega) {
            for (std::string& of : row.of)
                of = of_file(index, of);
            whole_.omega.push_back(std::move(row));
        }
        for (ResidualCorrelationWords& row : words.residual_correlations) {
            for (std::string& of : row.of)
                of = of_file(index, of);
            whole_.residual_correlations.push_back(std::move(row));
        }
        for (RouteWords& row : words.routes)
            append_route(row, index);
        for (OutputWords& row : words.outputs)
            append_output(row, index);
        for (NeedWords& row : words.needs) {
            row.scope = index;
            whole_.needs.push_back(std::move(row));
        }
    }

    /// A line of [parameters] replaces that of a used file.
    void append_parameter(ParameterWords& row, int index) {
        row.scope = index;
        const auto used = scope(index).names.find(row.name);
        const auto taken = used == scope(index).names.end()
                               ? whole_.parameters.end()
                               : find_row(whole_.parameters, used->second);
        if (taken == whole_.parameters.end()) {
            row.name = declare(index, row.name);
            whole_.parameters.push_back(std::move(row));
            return;
        }
        if (row.unit.is_known && taken->unit.is_known &&
            !(row.unit.unit.dimension == taken->unit.unit.dimension)) {
            diagnostics_.add(
                row.unit.span,
                fmt::format("'{}' is in {} here and in {} on {}, which it would replace",
                            row.name,
                            row.unit.unit.text,
                            taken->unit.unit.text,
                            place(taken->span)),
                "a parameter of a used model is replaced by one of the same kind; give another one "
                "another name");
            row.unit.is_known = false;
        }
        row.name = taken->name;
        *taken = std::move(row);
    }

    /// Covariates are the patient's: one name is one covariate, whoever reads it.
    void append_covariate(CovariateWords& row, int index) {
        row.scope = index;
        scope(index).names[row.name] = row.name;
        for (const std::string& category : row.categories)
            scope(index).names[row.name + "_" + category] = row.name + "_" + category;
        const auto known = find_row(whole_.covariates, row.name);
        if (known == whole_.covariates.end()) {
            whole_.covariates.push_back(std::move(row));
            return;
        }
        if (known->unit.unit.text != row.unit.unit.text || known->categories != row.categories ||
            known->is_mixture != row.is_mixture || known->proportions != row.proportions)
            diagnostics_.add(row.span,
                             fmt::format("the {} '{}' is another one on {}",
                                         row.is_mixture ? "mixture" : "covariate",
                                         row.name,
                                         place(known->span)),
                             "files of one model declare a covariate alike");
        if (row.reference.is_set()) known->reference = row.reference;
    }

    void append_enzymes(ModelWords& words, int index) {
        for (EnzymeWords& row : words.enzymes)
            append_enzyme(row, index);
        for (InteractionWords& row : words.interactions) {
            row.scope = index;
            whole_.interactions.push_back(std::move(row));
        }
        for (ClearanceWords& row : words.clearances) {
            row.scope = index;
            row.name = declare(index, row.name);
            if (!row.first_pass.empty()) row.first_pass = declare(index, row.first_pass);
            whole_.clearances.push_back(std::move(row));
        }
    }

    /// Files of one model add to an enzyme; what a file says of it replaces what it uses says.
    void append_enzyme(EnzymeWords& row, int index) {
        row.scope = index;
        for (auto* text : {&row.turnover, &row.ontogeny})
            if (*text) (*text)->scope = index;
        scope(index).names[row.name] = row.name;
        scope(index).names[amount_of(row.name)] = amount_of(row.name);
        const auto known = find_row(whole_.enzymes, row.name);
        if (known == whole_.enzymes.end()) {
            whole_.enzymes.push_back(std::move(row));
            return;
        }
        if (row.turnover) known->turnover = row.turnover;
        if (row.ontogeny) known->ontogeny = row.ontogeny;
    }

    void append_equations(const sim::SourceText& block, int index) {
        if (!block.start.file) return;
        for (sim::Equation& line : sim::split_equations(block, diagnostics_)) {
            line.target =
                line.kind.empty() ? declare(index, line.target) : of_file(index, line.target);
            tell_defined_twice(line);
            whole_.lines.push_back({std::move(line), index});
        }
    }

    /// Names and states declared twice are told where names are declared.
    void tell_defined_twice(const sim::Equation& line) {
        if (line.kind.empty() ||
            std::ranges::count(whole_.states, line.target, &StateWords::name) > 1)
            return;
        for (const EquationWords& known : whole_.lines)
            if (known.equation.kind == line.kind && known.equation.target == line.target)
                diagnostics_.add(line.target_span,
                                 fmt::format("the {} of '{}' is defined on {} already",
                                             line.kind == "initial" ? "start" : line.kind,
                                             line.target,
                                             place(known.equation.target_span)),
                                 "one model defines it once");
    }

    void append_route(RouteWords& row, int index) {
        row.name = scope(index).prefix + row.name;
        row.into = of_file(index, row.into);
        if (const auto known = find_row(whole_.routes, row.name); known != whole_.routes.end())
            return diagnostics_.add(
                row.span,
                fmt::format("the route '{}' stands on {} already", row.name, place(known->span)),
                "give it another name");
        own_routes_ = index == 0 ? own_routes_ + 1 : 0;
        whole_.routes.push_back(std::move(row));
    }

    /// The model's own default counts; without one, the only one of the used files, or none.
    void prefer_own_default_route() {
        auto& routes = whole_.routes;
        const auto is_default = [](const RouteWords& route) { return route.is_default; };
        const auto own = routes.end() - own_routes_;
        const bool has_own = std::any_of(own, routes.end(), is_default);
        if (has_own || std::count_if(routes.begin(), own, is_default) > 1)
            std::for_each(routes.begin(), own, [](auto& route) { route.is_default = false; });
    }

    /// A line of [outputs] replaces that of a used file: its error or label may be another one.
    void append_output(OutputWords& row, int index) {
        const auto used = scope(index).names.find(row.name);
        row.name = used == scope(index).names.end() ? scope(index).prefix + row.name : used->second;
        const auto known = find_row(whole_.outputs, row.name);
        if (known == whole_.outputs.end())
            whole_.outputs.push_back(std::move(row));
        else
            *known = std::move(row);
    }

    ModelWords& whole_;
    const io::Library& library_;
    sim::DiagnosticList& diagnostics_;
    std::vector<std::filesystem::path> under_way_;
    std::map<std::pair<std::string, std::string>, int> added_; ///< file and prefix → scope
    std::ptrdiff_t own_routes_ = 0;
};

} // namespace

void refuse_needs(const Model& model,
                  const std::string& reference,
                  const sim::SourceSpan& place,
                  sim::DiagnosticList& diagnostics) {
    for (const Need& need : model.needs)
        diagnostics.add(place,
                        fmt::format("the model '{}' needs {} ({}), which another model gives",
                                    model.id,
                                    need.name,
                                    need.unit.dimension.name()),
                        fmt::format("write a model file with uses = [\"library:one_compartment_iv"
                                    "\", \"{}\"] or the like, and name that one here",
                                    reference));
}

std::filesystem::path find_model(const std::string& reference,
                                 const std::filesystem::path& named_in,
                                 const sim::SourceSpan& place,
                                 const io::Library& library,
                                 sim::DiagnosticList& diagnostics) {
    std::filesystem::path file = io::resolve(library, "models", reference, named_in);
    if (!file.empty()) return file;
    constexpr std::string_view prefix = "library:";
    const bool from_library = reference.starts_with(prefix);
    const std::string name = from_library ? reference.substr(prefix.size()) : reference;
    diagnostics.add(place,
                    from_library ? fmt::format("the library has no model '{}'", name)
                                 : fmt::format("there is no file '{}' beside this one", name),
                    from_library ? sim::suggest(name, library.names("models"))
                                 : "name a file relative to this one, or library:NAME (gemel "
                                   "models lists them)");
    return file;
}

std::optional<std::string> ModelWords::in_whole(const std::string& word, int index) const {
    const Scope& scope = scopes[static_cast<std::size_t>(index)];
    const auto own = scope.names.find(word);
    if (own != scope.names.end()) return own->second;
    if (scope.user < 0) return word; // the symbol table knows whether there is such a name
    const auto given = scope.with.find(word);
    if (given != scope.with.end()) return in_whole(given->second, scope.user);
    return scope.needs.contains(word) ? in_whole(word, scope.user) : std::nullopt;
}

bool read_model_words(const std::filesystem::path& file,
                      ModelWords& words,
                      sim::DiagnosticList& diagnostics) {
    words.root = open_format(file, "model/1", diagnostics);
    words.diagnostics = &diagnostics;
    if (!words.root.is_set()) return false;
    io::read_fields(words.root, diagnostics, [&](io::Fields& f) { describe_model(f, words); });
    return true;
}

void compose(ModelWords& words,
             const std::filesystem::path& file,
             const io::Library& library,
             sim::DiagnosticList& diagnostics) {
    if (!words.needs.empty())
        words.uses.insert(words.uses.end(), words.tested_with.begin(), words.tested_with.end());
    ModelWords whole;
    whole.format = words.format;
    whole.name = words.name;
    whole.about = words.about;
    whole.source = words.source;
    whole.time = words.time;
    whole.drug = words.drug;
    whole.uncertainty = words.uncertainty;
    whole.tests = std::move(words.tests);
    whole.n_mistakes_in_tests = words.n_mistakes_in_tests;
    whole.root = words.root;
    whole.diagnostics = words.diagnostics;
    whole.uses = words.uses;
    whole.tested_with = words.tested_with;
    Composer(whole, library, diagnostics).add_own(std::move(words), file);
    words = std::move(whole);
}

} // namespace gemel::pkpd
