#include "model_tests.hpp"

#include "names_of.hpp"

#include <fmt/format.h>

#include <functional>

namespace gemel::pkpd {

namespace {

class TestReader {
public:
    TestReader(const TestWords& words, const Model& model, sim::DiagnosticList& diagnostics)
        : words_(words),
          model_(model),
          diagnostics_(diagnostics) {}

    ModelTest read() {
        test_.span = words_.span;
        test_.within = words_.within;
        test_.about = words_.about;
        test_.source = words_.source;
        test_.doses = std::make_shared<const std::vector<DoseWords>>(words_.doses);
        read_times();
        members(words_.expect, "output", [&](const auto& key, const auto& view) {
            return read_expected(key, view);
        });
        members(words_.genotypes, "gene", [&](const auto& key, const auto& view) {
            return read_genotype(key, view);
        });
        members(words_.covariates, "covariate", [&](const auto& key, const auto& view) {
            return read_covariate(key, view);
        });
        members(words_.parameters, "parameter", [&](const auto& key, const auto& view) {
            return read_parameter(key, view);
        });
        if (!test_.at.empty())
            plan_doses("test", words_.doses, model_, test_.at.back(), diagnostics_);
        check_references();
        return std::move(test_);
    }

private:
    using Read = std::function<bool(const std::string& key, const io::TomlView& view)>;

    void add(const sim::SourceSpan& span, std::string message, std::string help = {}) {
        diagnostics_.add(span, std::move(message), std::move(help));
    }

    void read_times() {
        double last = -1.0;
        for (const sim::Quantity& time : words_.at) {
            const double value = time_in(time, model_.system.time_unit);
            if (!(value > last)) {
                add(words_.at_span, "times rise, from 0 on");
                return;
            }
            test_.at.push_back(last = value);
        }
    }

    void members(const io::TomlView& view, const char* what, const Read& read) {
        if (!view.is_set()) return;
        if (view.kind() != io::TomlKind::table)
            add(view.span(),
                fmt::format("{} stands here; a table with one key per {} is expected",
                            io::name(view.kind()),
                            what));
        for (const auto& [key, value] : view.members())
            if (!read(key, value))
                add(value.key_span(),
                    fmt::format("'{}' is no {} of this model", key, what),
                    sim::suggest(key, known(what)));
    }

    std::vector<std::string> known(const std::string& what) const {
        if (what == "output") return names_of(model_.system.outputs);
        if (what == "parameter") return names_of(model_.parameters);
        if (what == "covariate") return names_of(model_.covariates);
        std::vector<std::string> genes;
        for (const auto& [name, gene] : model_.genes)
            genes.push_back(name);
        return genes;
    }

    bool read_expected(const std::string& key, const io::TomlView& view) {
        if (model_.find_output(key) < 0) return false;
        std::vector<double> values;
        for (const io::TomlView& cell : view.elements())
            if (const auto number = cell.number()) values.push_back(*number);
        const std::size_t n_times = words_.at.size(); // 0 after a mistake there
        if (n_times > 0 && (view.elements().size() != n_times || values.size() != n_times))
            add(view.span(), fmt::format("{} numbers are expected, one per time in 'at'", n_times));
        test_.expect[key] = std::move(values);
        return true;
    }

    bool read_genotype(const std::string& key, const io::TomlView& view) {
        const auto gene = model_.genes.find(key);
        if (gene == model_.genes.end()) return false;
        std::string why = "a diplotype is a text";
        const auto text = view.text();
        if (!text || !gene->second->parse_diplotype(*text, &why)) add(view.span(), why);
        test_.genotypes[key] = text.value_or("");
        return true;
    }

    bool read_covariate(const std::string& key, const io::TomlView& view) {
        const int index = model_.find_covariate(key);
        if (index < 0) return false;
        const auto value = read_covariate_value(
            model_.covariates[static_cast<std::size_t>(index)], view, diagnostics_);
        if (value) test_.covariates[key] = *value;
        return true;
    }

    bool read_parameter(const std::string& key, const io::TomlView& view) {
        const int index = model_.find_parameter(key);
        if (index < 0) return false;
        const auto number = view.number();
        if (!number)
            add(view.span(), "a bare number in the parameter's unit is expected");
        else if (model_.parameters[static_cast<std::size_t>(index)].is_computed)
            add(view.span(), fmt::format("the value of '{}' is an expression", key));
        else
            test_.parameters[key] = *number;
        return true;
    }

    void check_references() {
        for (const Covariate& covariate : model_.covariates)
            if (!covariate.reference && !test_.covariates.contains(covariate.name))
                add(words_.span,
                    fmt::format("the covariate '{}' has no reference; this test must give it",
                                covariate.name),
                    fmt::format("write covariates = {{ {} = … }}", covariate.name));
    }

    const TestWords& words_;
    const Model& model_;
    sim::DiagnosticList& diagnostics_;
    ModelTest test_;
};

} // namespace

ModelTest read_test(const TestWords& words, const Model& model, sim::DiagnosticList& diagnostics) {
    return TestReader(words, model, diagnostics).read();
}

void read_tests(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics) {
    for (const TestWords& test : words.tests)
        model.tests.push_back(read_test(test, model, diagnostics));
}

} // namespace gemel::pkpd
