#include "find_dose/dose_search_words.hpp"

#include "field_key.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

namespace gemel::scenarios {

namespace {

io::Field within(io::Field field, double at_least, double at_most) {
    field.at_least = at_least;
    field.at_most = at_most;
    field.exclusive = true;
    return field;
}

class DoseSearchBinder {
public:
    DoseSearchBinder(const DoseSearchWords& words, Study& study, sim::DiagnosticList& diagnostics)
        : words_(words),
          study_(study),
          diagnostics_(diagnostics) {}

    void bind(const std::vector<std::string>& outcome_names, const DosesOf& doses_of) {
        search_.probability = words_.probability;
        search_.tolerance = words_.tolerance;
        search_.settings.level = words_.level;
        search_.settings.interval =
            words_.interval == 1 ? Interval::clopper_pearson : Interval::wilson;
        bind_arm();
        bind_attainment(outcome_names);
        if (const auto place = stratification_of(words_.stratification, study_, diagnostics_))
            search_.stratification = *place;
        if (is_good_) bind_doses(doses_of);
        if (is_good_) study_.dose_search = std::move(search_);
    }

private:
    void mistake(const sim::SourceSpan& span, std::string message, std::string help = {}) {
        is_good_ = false;
        diagnostics_.add(span, std::move(message), std::move(help));
    }

    void bind_arm() {
        std::vector<std::string> names;
        for (const Arm& arm : study_.arms)
            names.push_back(arm.name);
        if (words_.arm.empty() && names.size() == 1) return;
        const auto found = std::find(names.begin(), names.end(), words_.arm);
        search_.arm = static_cast<std::size_t>(found - names.begin());
        if (words_.arm.empty() && !names.empty())
            mistake(words_.span,
                    "the study has several arms; whose doses are changed is missing",
                    fmt::format("add arm = \"{}\"", names.front()));
        else if (found == names.end())
            mistake(words_.arm_span,
                    fmt::format("the study has no arm '{}'", words_.arm),
                    sim::suggest(words_.arm, names));
    }

    void bind_attainment(const std::vector<std::string>& outcome_names) {
        for (const std::string& name : words_.attainment) {
            const auto found = std::find_if(study_.outcomes.begin(),
                                            study_.outcomes.end(),
                                            [&](const Outcome& o) { return o.name == name; });
            if (found == study_.outcomes.end()) {
                is_good_ = false;
                if (std::count(outcome_names.begin(), outcome_names.end(), name) == 0)
                    mistake(words_.attainment_span,
                            fmt::format("the study has no outcome '{}'", name),
                            sim::suggest(name, outcome_names));
            } else if (found->comparison.empty()) {
                mistake(
                    words_.attainment_span,
                    fmt::format("outcome '{}' is a number; what is attained is a comparison", name),
                    fmt::format("[outcomes]\non_target = \"{} >= …\"", found->text.text));
            } else {
                search_.attainment.push_back(
                    static_cast<std::size_t>(found - study_.outcomes.begin()));
            }
        }
        if (is_good_ && search_.attainment.empty())
            mistake(words_.attainment_span, "attainment names no outcome");
    }

    /// The factor a named dose is on the regimen's last line; its plan decides, so that units and
    /// molar masses are converted as for any dose.
    std::optional<double>
    factor_of(const std::string& text, const sim::SourceSpan& span, pkpd::DoseWords last) {
        std::string why;
        const auto dose = pkpd::parse_dose(text, &why);
        if (!dose || !(dose->amount.value > 0.0) || !std::isfinite(dose->amount.value)) {
            mistake(span, dose ? fmt::format("the dose \"{}\" is not positive", text) : why);
            return std::nullopt;
        }
        const pkpd::Regimen& regimen = regimen_of(study_, study_.arms[search_.arm]);
        last.dose = dose->amount;
        last.per = dose->per;
        last.dose_text = text;
        last.dose_span = span;
        sim::DiagnosticList found;
        const pkpd::Regimen other =
            pkpd::plan_doses(regimen.name, {last}, *study_.model, study_.duration, found);
        if (!found.empty() || other.records.empty()) {
            is_good_ = false;
            diagnostics_.append(found);
            return std::nullopt;
        }
        const auto as_planned =
            std::find_if(regimen.records.rbegin(), regimen.records.rend(), pkpd::is_dose);
        const sim::Record& as_named = other.records.back();
        if (as_planned->amount_factor != as_named.amount_factor) {
            mistake(span,
                    fmt::format("the dose \"{}\" cannot stand for \"{}\": one is by body size",
                                text,
                                last_text_));
            return std::nullopt;
        }
        if (search_.unit.empty()) {
            search_.unit =
                dose->amount.unit.text + (dose->per ? "/" + dose->per->text : std::string());
            search_.dose_at_one = dose->amount.value * (as_planned->amount / as_named.amount);
        }
        return as_named.amount / as_planned->amount;
    }

    void bind_doses(const DosesOf& doses_of) {
        const auto* doses = doses_of(study_.arms[search_.arm].regimen);
        if (doses == nullptr) return void(is_good_ = false); // told already
        const std::vector<sim::Record>& records =
            regimen_of(study_, study_.arms[search_.arm]).records;
        const auto last =
            std::find_if(doses->rbegin(), doses->rend(), [](const pkpd::DoseWords& words) {
                return words.is_dose() && !words.when;
            });
        if (last == doses->rend() || std::none_of(records.begin(), records.end(), pkpd::is_dose))
            return mistake(words_.span,
                           fmt::format("regimen '{}' gives no dose that could be changed",
                                       study_.arms[search_.arm].regimen));
        if (std::any_of(doses->begin(), doses->end(), [](const auto& words) {
                return words.policy.has_value();
            }))
            return mistake(words_.span,
                           fmt::format("doses of regimen '{}' follow a policy; none is looked for",
                                       study_.arms[search_.arm].regimen),
                           "name an arm with amounts");
        if (last->is_constant_infusion())
            return mistake(words_.span,
                           fmt::format("the last dose of regimen '{}' is an infusion without end, "
                                       "which has no amount that could be changed",
                                       study_.arms[search_.arm].regimen));
        last_text_ = last->dose_text;
        for (const std::string& text : words_.among)
            if (const auto factor = factor_of(text, words_.among_span, *last))
                search_.among.push_back(*factor);
        if (std::adjacent_find(search_.among.begin(),
                               search_.among.end(),
                               std::greater_equal<>()) != search_.among.end())
            mistake(words_.among_span, "the doses do not rise");
        if (!words_.from.empty() && !words_.to.empty()) bind_range(*last);
    }

    /// Any dose between, or those of the list that are.
    void bind_range(const pkpd::DoseWords& last) {
        const auto from = factor_of(words_.from, words_.from_span, last);
        const auto to = factor_of(words_.to, words_.to_span, last);
        if (!from || !to) return;
        if (!(*from < *to)) return mistake(words_.to_span, "the doses end before they start");
        search_.from = *from;
        search_.to = *to;
        // Within rounding of units
        const auto is_outside = [&](double factor) {
            return factor < *from * (1.0 - 1e-12) || factor > *to * (1.0 + 1e-12);
        };
        std::erase_if(search_.among, is_outside);
        if (!words_.among.empty() && search_.among.empty() && is_good_)
            mistake(words_.among_span, "no dose of the list is from `from` to `to`");
    }

    const DoseSearchWords& words_;
    Study& study_;
    sim::DiagnosticList& diagnostics_;
    DoseSearch search_;
    std::string last_text_;
    bool is_good_ = true;
};

} // namespace

void describe_dose_search(io::Fields& f, DoseSearchWords& words) {
    f.text(key("arm", "whose doses are changed; else the only one", "\"daily\""), words.arm);
    io::Field attainment = key(
        "attainment", "outcomes with a comparison; all must hold in a subject", "[\"on_target\"]");
    attainment.required = true;
    f.texts(attainment, words.attainment);
    f.number(within(key("probability", "of attainment that is enough", "0.9"), 0.0, 1.0),
             words.probability);
    f.texts(key("among",
                "doses to choose from, in rising order: of the regimen's last line, others keep "
                "their ratio to it",
                "[\"50 mg\", \"100 mg\"]"),
            words.among);
    f.text(key("from", "smallest dose", "\"25 mg\""), words.from);
    f.text(key("to", "largest dose; without among any dose between will do", "\"400 mg\""),
           words.to);
    io::Field tolerance =
        within(key("tolerance", "relative, of a dose found between; among has none", "0.01"),
               DoseSearch::finest_tolerance,
               1.0);
    f.number(tolerance, words.tolerance);
    describe_stratification(f, words.stratification);
    describe_interval(f, words.level, words.interval);
    if (!f.is_listing() && !f.has("among") && !f.has("from") && !f.has("to"))
        f.mistake({},
                  "the doses to choose from are missing",
                  "write among = [\"50 mg\", \"100 mg\"], or from = \"25 mg\" and to = \"400 mg\"");
    if (f.has("from") != f.has("to"))
        f.mistake(f.has("from") ? "from" : "to",
                  f.has("from") ? "`from` without `to`" : "`to` without `from`",
                  "write both, or among = [\"50 mg\", \"100 mg\"]");
    words.span = f.span();
    words.arm_span = f.span("arm");
    words.attainment_span = f.span("attainment");
    words.among_span = f.span("among");
    words.from_span = f.span("from");
    words.to_span = f.span("to");
}

void bind_dose_search(const DoseSearchWords& words,
                      const std::vector<std::string>& outcome_names,
                      const DosesOf& doses_of,
                      Study& study,
                      sim::DiagnosticList& diagnostics) {
    DoseSearchBinder(words, study, diagnostics).bind(outcome_names, doses_of);
}

} // namespace gemel::scenarios
