#include "estimate_scale.hpp"
#include "model_changes.hpp"
#include "model_uses.hpp"

#include <gemel/io/toml_text.hpp>
#include <gemel/pkpd/model_writer.hpp>
#include <gemel/sim/renaming.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <stdexcept>

namespace gemel::pkpd {

namespace {

/// A table being written: keys and values as TOML.
using RowText = std::vector<std::pair<std::string, std::string>>;
struct NamedRow {
    std::string name;
    RowText row;
};

void set_key(RowText& row, const std::string& key, std::string value) {
    const auto found = std::ranges::find(row, key, &RowText::value_type::first);
    if (found == row.end())
        row.emplace_back(key, std::move(value));
    else
        found->second = std::move(value);
}

void drop_key(RowText& row, const std::string& key) {
    std::erase_if(row, [&](const auto& member) { return member.first == key; });
}

std::string inline_table(const RowText& row) {
    std::vector<std::string> members;
    for (const auto& [key, value] : row)
        members.push_back(fmt::format("{} = {}", io::toml_key(key), value));
    return members.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(members, ", "));
}

std::string lines_of(const RowText& row) {
    std::string text;
    for (const auto& [key, value] : row)
        text += fmt::format("{} = {}\n", io::toml_key(key), value);
    return text;
}

/// `[section]` with a line per row, or a table per row where a line would be long.
std::string section_text(const std::string& section, const std::vector<NamedRow>& rows) {
    constexpr std::size_t longest_line = 160;
    if (rows.empty()) return {};
    const bool is_short = std::ranges::all_of(rows, [&](const NamedRow& row) {
        return row.name.size() + inline_table(row.row).size() < longest_line;
    });
    std::string text = is_short ? fmt::format("\n[{}]\n", section) : "";
    for (const NamedRow& row : rows)
        text +=
            is_short
                ? fmt::format("{} = {}\n", io::toml_key(row.name), inline_table(row.row))
                : fmt::format("\n[{}.{}]\n{}", section, io::toml_key(row.name), lines_of(row.row));
    return text;
}

std::string list_text(const std::string& section, const std::vector<RowText>& rows) {
    std::string text;
    for (const RowText& row : rows)
        text += fmt::format("\n[[{}]]\n{}", section, lines_of(row));
    return text;
}

/// The lower triangle, a row per line.
std::string triangle_text(const std::vector<double>& matrix, std::size_t n) {
    std::string text = "[\n";
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<std::string> cells;
        for (std::size_t j = 0; j <= i; ++j)
            cells.push_back(io::toml_number(matrix[i * n + j]));
        text += fmt::format("    [{}],\n", fmt::join(cells, ", "));
    }
    return text + "]";
}

/// Rows and columns of an [n × n] matrix.
std::vector<double>
part_of(const std::vector<double>& matrix, std::size_t n, const std::vector<std::size_t>& kept) {
    std::vector<double> part;
    for (const std::size_t i : kept)
        for (const std::size_t j : kept)
            part.push_back(matrix[i * n + j]);
    return part;
}

std::string names_text(const std::vector<std::string>& names) {
    std::vector<std::string> quoted;
    for (const std::string& name : names)
        quoted.push_back(io::toml_string(name));
    return fmt::format("[{}]", fmt::join(quoted, ", "));
}

std::string effect_text(const Variability& effect, const Variability* beside) {
    RowText row;
    if (effect.law == VariabilityLaw::student)
        row = {{"scale", io::toml_number(effect.scale)}, {"df", io::toml_number(effect.df)}};
    else
        row = {{"sd", io::toml_number(effect.sd)}};
    if (beside == nullptr && effect.law != VariabilityLaw::lognormal)
        set_key(row, "law", io::toml_string(name(effect.law)));
    if (beside != nullptr && effect.law == VariabilityLaw::student)
        set_key(row, "law", io::toml_string(name(effect.law)));
    if (beside == nullptr && effect.law == VariabilityLaw::boxcox)
        set_key(row, "lambda", io::toml_number(effect.lambda));
    return inline_table(row);
}

/// Writes the words of one model.
class ModelWriter {
public:
    ModelWriter(const Model& model,
                const io::Library& library,
                const ModelChanges& changes,
                const Calibration& calibration,
                const std::filesystem::path& written)
        : model_(model),
          library_(library),
          changes_(changes),
          calibration_(calibration),
          written_(written) {
        sim::DiagnosticList diagnostics;
        if (read_model_words(model.file, words_, diagnostics))
            compose(words_, model.file, library, diagnostics);
        laws_ = laws_of(model);
        const auto mistakes = set_values(model, calibration.numbers, calibration.values, laws_);
        if (!diagnostics.empty())
            throw std::invalid_argument("the model's files are no longer what they were");
        if (!mistakes.empty())
            throw std::invalid_argument(fmt::format(
                "{} {}", calibration.numbers[mistakes.front().number].name, mistakes.front().why));
    }

    std::string text() {
        leave_out_unused();
        for (const int scope : words_.scope_order)
            take_file(scope);
        std::string text = "gemel = \"model/1\"\n";
        for (const std::string& remark : calibration_.remarks)
            text += fmt::format("# {}\n", remark);
        text += "\n[model]\n" + head_text();
        if (const io::TomlView drug = own()["drug"]; drug.is_set())
            text += fmt::format("\n[drug]\n{}", lines_of(row_of(drug)));
        text += section_text("routes", routes_) + section_text("parameters", parameters_);
        text += list_text("omega", omega_rows()) + section_text("maps", maps_);
        text += section_text("covariates", covariates_) + section_text("mixtures", mixtures_);
        text += section_text("enzymes", enzymes_) + list_text("interactions", interactions_);
        text += section_text("clearances", clearances_) + section_text("states", states_);
        text += section_text("outputs", outputs_);
        text += list_text("residual_correlation", residual_correlations_);
        return text + uncertainty_text();
    }

private:
    const Scope& scope_at(int scope) const {
        return words_.scopes[static_cast<std::size_t>(scope)];
    }
    const io::TomlView& own() const { return words_.scopes.front().root; }
    bool is_one_file() const { return words_.scopes.size() == 1; }

    using Mention = std::function<void(const sim::SourceText& text, int scope)>;

    /// Every text that names something, of rows that are written.
    void each_text(const Mention& mention) const {
        const auto maybe = [&](const std::optional<sim::SourceText>& text, int scope) {
            if (text) mention(*text, scope);
        };
        for (const EquationWords& line : words_.lines)
            mention(line.equation.expression, line.scope);
        for (const ParameterWords& row : words_.parameters) {
            if (left_out_.contains(row.name)) continue;
            maybe(row.expression, row.scope);
            maybe(row.scale, row.scope);
        }
        for (const EnzymeWords& row : words_.enzymes)
            for (const auto* text : {&row.turnover, &row.ontogeny})
                if (*text) mention((*text)->text, (*text)->scope);
        for (const InteractionWords& row : words_.interactions)
            for (const auto* text : {&row.by, &row.Ki, &row.kinact, &row.KI, &row.Emax, &row.EC50})
                maybe(*text, row.scope);
        for (const ClearanceWords& row : words_.clearances) {
            for (const auto* text :
                 {&row.of, &row.renal, &row.kidney, &row.liver, &row.flow, &row.absorbed})
                maybe(*text, row.scope);
            for (const ClearanceWords::Pathway& pathway : row.pathways) {
                maybe(pathway.share, row.scope);
                maybe(pathway.activity, row.scope);
            }
        }
    }

    std::set<std::string> mentioned_names() const {
        std::set<std::string> names;
        each_text([&](const sim::SourceText& text, int scope) {
            for (const std::string& name : sim::names_in(text))
                names.insert(renamed(name, scope));
        });
        for (const OutputWords& output : words_.outputs)
            names.insert(output.name);
        for (const InteractionWords& row : words_.interactions)
            names.insert(row.inhibitor_class);
        for (const CovariateWords& covariate : words_.covariates)
            for (const std::string& category : covariate.categories)
                if (names.contains(covariate.name + "_" + category)) names.insert(covariate.name);
        return names;
    }

    /// What a used file needs and its user replaced: in one file it would be a mistake.
    void leave_out_unused() {
        const auto leave_out_of = [&](const auto& rows, const std::set<std::string>& mentioned) {
            for (const auto& row : rows)
                if (row.scope != 0 && !mentioned.contains(row.name)) left_out_.insert(row.name);
        };
        for (std::size_t n_before = 1; n_before != left_out_.size();) {
            n_before = left_out_.size();
            const std::set<std::string> mentioned = mentioned_names();
            leave_out_of(words_.parameters, mentioned);
            leave_out_of(words_.maps, mentioned);
            leave_out_of(words_.covariates, mentioned);
        }
    }

    bool is_left_out(int parameter) const {
        return left_out_.contains(model_.parameters[static_cast<std::size_t>(parameter)].name);
    }

    static RowText row_of(const io::TomlView& table) {
        RowText row;
        for (const auto& [key, value] : table.members())
            row.emplace_back(key, io::toml_value(value));
        return row;
    }

    std::string renamed(const std::string& name, int scope) const {
        return words_.in_whole(name, scope).value_or(name);
    }

    /// A number, or an expression with its names as in the whole.
    std::string expression_text(const io::TomlView& value, int scope) const {
        const auto text = value.source_text();
        if (!text) return io::toml_value(value);
        return io::toml_string(
            sim::with_names(*text, [&](const std::string& name) { return renamed(name, scope); }));
    }

    void rename_expressions(const io::TomlView& table,
                            const std::vector<std::string>& keys,
                            int scope,
                            RowText& row) const {
        for (const std::string& key : keys)
            if (table[key].is_set()) set_key(row, key, expression_text(table[key], scope));
    }

    template <class Use>
    void each(int scope, const char* section, const Use& use) {
        for (const auto& [key, table] : scope_at(scope).root[section].members())
            use(scope_at(scope).prefix + key, table);
    }

    static NamedRow* find_row(std::vector<NamedRow>& rows, const std::string& name) {
        const auto found = std::ranges::find(rows, name, &NamedRow::name);
        return found == rows.end() ? nullptr : &*found;
    }

    /// A row of a used file is replaced.
    static void put(std::vector<NamedRow>& rows, const std::string& name, RowText row) {
        if (NamedRow* known = find_row(rows, name))
            known->row = std::move(row);
        else
            rows.push_back({name, std::move(row)});
    }

    void take_file(int scope) {
        take_routes(scope);
        take_parameters(scope);
        take_maps(scope);
        take_covariates(scope);
        take_enzymes(scope);
        take_states(scope);
        take_outputs(scope);
        for (const io::TomlView& table : scope_at(scope).root["residual_correlation"].elements()) {
            RowText row = row_of(table);
            std::vector<std::string> of;
            for (const io::TomlView& output : table["of"].elements())
                of.push_back(renamed(output.text().value_or(""), scope));
            set_key(row, "of", names_text(of));
            residual_correlations_.push_back(std::move(row));
        }
    }

    void take_routes(int scope) {
        each(scope, "routes", [&](const std::string& name, const io::TomlView& table) {
            RowText row = row_of(table);
            set_key(
                row, "into", io::toml_string(renamed(table["into"].text().value_or(""), scope)));
            const int route = model_.find_route(name);
            drop_key(row, "default");
            if (route >= 0 && model_.routes[static_cast<std::size_t>(route)].is_default)
                set_key(row, "default", "true");
            put(routes_, name, std::move(row));
        });
    }

    /// A name of a used file, or of this one.
    std::string name_in_whole(int scope, const std::string& name) const {
        const std::string own_name = name.substr(scope_at(scope).prefix.size());
        return renamed(own_name, scope);
    }

    void take_parameters(int scope) {
        each(scope, "parameters", [&](const std::string& prefixed, const io::TomlView& table) {
            const std::string name = name_in_whole(scope, prefixed);
            const int index = model_.find_parameter(name);
            if (index < 0 || is_left_out(index)) return;
            const auto at = static_cast<std::size_t>(index);
            const Parameter& parameter = model_.parameters[at];
            RowText row = row_of(table);
            rename_expressions(table, {"value", "scale"}, scope, row);
            if (!parameter.is_computed) set_key(row, "value", io::toml_number(laws_.typical[at]));
            const auto& iiv = laws_.iiv[at];
            const auto& iov = laws_.iov[at];
            set_or_drop(row, "iiv", iiv ? effect_text(*iiv, nullptr) : "");
            set_or_drop(row, "iov", iov ? effect_text(*iov, iiv ? &*iiv : nullptr) : "");
            set_or_drop(row, "lower", parameter.lower ? io::toml_number(*parameter.lower) : "");
            set_or_drop(row, "upper", parameter.upper ? io::toml_number(*parameter.upper) : "");
            put(parameters_, name, std::move(row));
        });
    }

    static void set_or_drop(RowText& row, const std::string& key, std::string value) {
        if (value.empty())
            drop_key(row, key);
        else
            set_key(row, key, std::move(value));
    }

    /// A gene's file is named as it is found from where the text will stand.
    void take_maps(int scope) {
        each(scope, "maps", [&](const std::string& name, const io::TomlView& table) {
            if (left_out_.contains(name)) return;
            RowText row = row_of(table);
            const std::string gene = table["gene"].text().value_or("");
            const auto file = gene.ends_with(".toml")
                                  ? io::resolve(library_, "genes", gene, scope_at(scope).file)
                                  : std::filesystem::path();
            std::error_code error;
            if (!file.empty() && !gene.starts_with("library:"))
                set_key(row,
                        "gene",
                        io::toml_string(
                            std::filesystem::proximate(
                                file, std::filesystem::absolute(written_).parent_path(), error)
                                .generic_string()));
            put(maps_, name, std::move(row));
        });
    }

    /// One name is one covariate, of all files; the last says what its reference is.
    void take_covariates(int scope) {
        for (auto [section, rows] :
             {std::pair{"covariates", &covariates_}, std::pair{"mixtures", &mixtures_}})
            for (const auto& [name, table] : scope_at(scope).root[section].members()) {
                if (left_out_.contains(name)) continue;
                NamedRow* known = find_row(*rows, name);
                if (known == nullptr)
                    rows->push_back({name, row_of(table)});
                else if (table["reference"].is_set())
                    set_key(known->row, "reference", io::toml_value(table["reference"]));
            }
    }

    void take_enzymes(int scope) {
        for (const auto& [name, table] : scope_at(scope).root["enzymes"].members()) {
            RowText row = row_of(table);
            rename_expressions(table, {"turnover", "ontogeny"}, scope, row);
            NamedRow* known = find_row(enzymes_, name);
            if (known == nullptr) {
                enzymes_.push_back({name, std::move(row)});
                continue;
            }
            for (auto& [key, value] : row)
                set_key(known->row, key, std::move(value));
        }
        for (const io::TomlView& table : scope_at(scope).root["interactions"].elements()) {
            RowText row = row_of(table);
            rename_expressions(table, {"by", "Ki", "kinact", "K_I", "Emax", "EC50"}, scope, row);
            interactions_.push_back(std::move(row));
        }
        each(scope, "clearances", [&](const std::string& name, const io::TomlView& table) {
            RowText row = row_of(table);
            rename_expressions(
                table, {"of", "renal", "kidney", "liver", "flow", "absorbed"}, scope, row);
            if (table["first_pass"].is_set())
                set_key(row,
                        "first_pass",
                        io::toml_string(renamed(table["first_pass"].text().value_or(""), scope)));
            set_key(row, "enzymes", pathways_text(table["enzymes"], scope));
            put(clearances_, name, std::move(row));
        });
    }

    std::string pathways_text(const io::TomlView& pathways, int scope) const {
        RowText row;
        for (const auto& [enzyme, value] : pathways.members()) {
            RowText pathway;
            rename_expressions(value, {"share", "activity"}, scope, pathway);
            row.emplace_back(enzyme,
                             value.kind() == io::TomlKind::table ? inline_table(pathway)
                                                                 : expression_text(value, scope));
        }
        return inline_table(row);
    }

    /// The molar mass of a file is that of its states.
    void take_states(int scope) {
        const io::TomlView molar_mass = scope_at(scope).root["model"]["molar_mass"];
        each(scope, "states", [&](const std::string& name, const io::TomlView& table) {
            RowText row = row_of(table);
            if (!is_one_file() && molar_mass.is_set() && !table["molar_mass"].is_set())
                set_key(row, "molar_mass", io::toml_value(molar_mass));
            put(states_, name, std::move(row));
        });
    }

    void take_outputs(int scope) {
        each(scope, "outputs", [&](const std::string& prefixed, const io::TomlView& table) {
            const std::string name = name_in_whole(scope, prefixed);
            const int index = model_.find_output(name);
            if (index < 0) return;
            RowText row = row_of(table);
            const io::TomlView changed = changes_.outputs[name]["error"];
            const io::TomlView error = changed.is_set() ? changed : table["error"];
            if (error.is_set()) set_key(row, "error", error_text(error, index));
            put(outputs_, name, std::move(row));
        });
    }

    std::string error_text(const io::TomlView& words, int output) const {
        const ResidualError& error = laws_.residual_errors[static_cast<std::size_t>(output)];
        RowText row = row_of(words);
        for (const auto& [key, value] : {std::pair{"additive", error.additive},
                                         std::pair{"proportional", error.proportional},
                                         std::pair{"exponent", error.exponent},
                                         std::pair{"sd", error.log_sd}})
            if (words[key].is_set()) set_key(row, key, io::toml_number(value));
        return inline_table(row);
    }

    std::string head_text() const {
        const io::TomlView head = own()["model"];
        RowText row{{"name", io::toml_string(words_.name)}};
        if (!words_.about.empty()) row.emplace_back("about", io::toml_string(words_.about));
        row.emplace_back("source", io::toml_string(words_.source + "; " + calibration_.source));
        row.emplace_back("time", io::toml_string(head["time"].text().value_or("")));
        if (is_one_file() && head["molar_mass"].is_set())
            row.emplace_back("molar_mass", io::toml_value(head["molar_mass"]));
        row.emplace_back("equations",
                         io::toml_block(is_one_file()
                                            ? words_.root["model"]["equations"].text().value_or("")
                                            : equations_text()));
        return lines_of(row);
    }

    /// Lines of all files, their names as in the whole.
    std::string equations_text() const {
        std::string text;
        for (const EquationWords& line : words_.lines) {
            const sim::Equation& equation = line.equation;
            const std::string target = equation.kind.empty() ? equation.target
                                       : equation.kind == "initial"
                                           ? equation.target + "(0)"
                                           : fmt::format("{}({})", equation.kind, equation.target);
            text += fmt::format("{} = {}\n",
                                target,
                                sim::with_names(equation.expression, [&](const std::string& name) {
                                    return renamed(name, line.scope);
                                }));
        }
        return text;
    }

    /// Of the members that are written.
    std::vector<RowText> omega_rows() const {
        std::vector<RowText> rows;
        for (const OmegaBlock& block : laws_.omega) {
            std::vector<std::size_t> kept;
            std::vector<std::string> of;
            for (std::size_t i = 0; i < block.of.size(); ++i)
                if (!is_left_out(block.of[i])) {
                    kept.push_back(i);
                    of.push_back(model_.parameters[static_cast<std::size_t>(block.of[i])].name);
                }
            if (of.size() < 2) continue;
            RowText& row = rows.emplace_back(RowText{{"of", names_text(of)}});
            if (block.level == Level::occasion) row.emplace_back("level", "\"occasion\"");
            row.emplace_back(
                "covariance",
                triangle_text(part_of(block.covariance, block.of.size(), kept), of.size()));
        }
        return rows;
    }

    bool is_written(const LawNumber& number) const {
        const bool is_of_parameter = number.kind == LawNumber::Kind::typical ||
                                     number.kind == LawNumber::Kind::effect ||
                                     number.kind == LawNumber::Kind::pair;
        if (!is_of_parameter) return true;
        return !is_left_out(number.first) &&
               (number.kind != LawNumber::Kind::pair || !is_left_out(number.second));
    }

    std::string uncertainty_text() const {
        const std::vector<std::size_t>& numbers = calibration_.uncertain;
        std::vector<std::size_t> kept;
        std::vector<std::string> of;
        for (std::size_t k = 0; k < numbers.size(); ++k)
            if (is_written(calibration_.numbers[numbers[k]])) {
                kept.push_back(k);
                of.push_back(calibration_.numbers[numbers[k]].name);
            }
        if (of.empty()) return {};
        const std::vector<double> covariance =
            part_of(calibration_.covariance, numbers.size(), kept);
        return fmt::format("\n[uncertainty]\n{}",
                           lines_of({{"of", names_text(of)},
                                     {"law", "\"bounded\""},
                                     {"covariance", triangle_text(covariance, of.size())}}));
    }

    const Model& model_;
    const io::Library& library_;
    const ModelChanges& changes_;
    const Calibration& calibration_;
    const std::filesystem::path& written_;
    ModelWords words_;
    PopulationLaws laws_;
    std::set<std::string> left_out_; ///< names of the whole
    std::vector<NamedRow> routes_, parameters_, maps_, covariates_, mixtures_, enzymes_,
        clearances_, states_, outputs_;
    std::vector<RowText> interactions_, residual_correlations_;
};

/// Numbers of one group of effects that is given with its covariances.
std::vector<char> same_group(const std::vector<LawNumber>& numbers, int group) {
    std::vector<char> is_same(numbers.size(), 0);
    for (std::size_t k = 0; k < numbers.size(); ++k) {
        const bool is_of_effects =
            numbers[k].kind == LawNumber::Kind::effect || numbers[k].kind == LawNumber::Kind::pair;
        is_same[k] = is_of_effects && numbers[k].group == group;
    }
    return is_same;
}

/// Leaves out a number, with all of its group.
void leave_out(std::size_t number,
               const std::vector<LawNumber>& numbers,
               const std::string& why,
               std::vector<char>& is_in,
               std::vector<std::string>& remarks) {
    if (is_in[number] == 0) return;
    std::vector<char> leaves(numbers.size(), 0);
    const bool is_of_effects = numbers[number].kind == LawNumber::Kind::effect ||
                               numbers[number].kind == LawNumber::Kind::pair;
    if (is_of_effects && numbers[number].group >= 0)
        leaves = same_group(numbers, numbers[number].group);
    leaves[number] = 1;
    for (std::size_t k = 0; k < numbers.size(); ++k) {
        if (leaves[k] == 0 || is_in[k] == 0) continue;
        is_in[k] = 0;
        remarks.push_back(k == number
                              ? fmt::format("not in [uncertainty]: {}, {}", numbers[k].name, why)
                              : fmt::format("not in [uncertainty]: {}, of one group with {}",
                                            numbers[k].name,
                                            numbers[number].name));
    }
}

} // namespace

void set_uncertainty(const Model& model,
                     const std::vector<std::size_t>& uncertain,
                     const std::vector<double>& covariance,
                     Calibration& calibration) {
    const std::size_t n = uncertain.size();
    PopulationLaws laws = laws_of(model);
    if (!set_values(model, calibration.numbers, calibration.values, laws).empty()) return;
    std::vector<LawNumber> numbers;
    for (const std::size_t number : uncertain)
        numbers.push_back(calibration.numbers[number]);
    std::vector<char> is_in(n, 1);
    const std::vector<Bounds> bounds = bounds_of_typical(model);
    for (std::size_t k = 0; k < n; ++k) {
        const double value = calibration.values[uncertain[k]];
        const double variance = covariance[k * n + k];
        const bool is_pair = numbers[k].kind == LawNumber::Kind::pair;
        double distance = std::abs(value);
        if (numbers[k].kind == LawNumber::Kind::typical) {
            const Bounds& own = bounds[static_cast<std::size_t>(numbers[k].first)];
            distance = std::min(value - own.lower, own.upper - value);
        }
        if (!(variance > 0.0) || !std::isfinite(variance))
            leave_out(k, numbers, "its error is not known", is_in, calibration.remarks);
        else if (!is_pair && std::isfinite(distance) && std::sqrt(variance) > distance)
            leave_out(k,
                      numbers,
                      "its standard error is greater than it is, or than it is from its bound",
                      is_in,
                      calibration.remarks);
    }
    while (true) {
        std::vector<std::size_t> kept;
        std::vector<LawNumber> named;
        for (std::size_t k = 0; k < n; ++k)
            if (is_in[k] != 0) {
                kept.push_back(k);
                named.push_back(numbers[k]);
            }
        const auto mistakes =
            EstimateScale(laws, named, {.are_logarithms = false, .bounds = bounds}).mistakes();
        if (!mistakes.empty()) {
            for (const LawMistake& mistake : mistakes)
                leave_out(kept[mistake.number], numbers, mistake.why, is_in, calibration.remarks);
            continue;
        }
        for (const std::size_t k : kept)
            calibration.uncertain.push_back(uncertain[k]);
        calibration.covariance = part_of(covariance, n, kept);
        return;
    }
}

std::string write_model(const Model& model,
                        const io::Library& library,
                        const ModelChanges& changes,
                        const Calibration& calibration,
                        const std::filesystem::path& written) {
    return ModelWriter(model, library, changes, calibration, written).text();
}

} // namespace gemel::pkpd
