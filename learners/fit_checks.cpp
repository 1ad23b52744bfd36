#include "fit_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace gemel::learners {
namespace {

/// Sentences, told together.
class Refusal {
public:
    void add(std::string sentence) { sentences_.push_back(std::move(sentence)); }
    void tell() const {
        if (sentences_.empty()) return;
        std::string text;
        for (const std::string& sentence : sentences_)
            text += (text.empty() ? "" : "\n") + sentence;
        throw std::invalid_argument(text);
    }

private:
    std::vector<std::string> sentences_;
};

std::size_t n_estimated(const FitSetup& setup) {
    return static_cast<std::size_t>(std::ranges::count(setup.numbers, false, &FitNumber::is_fixed));
}

std::string output_name(const pkpd::Model& model, int output) {
    return model.system.outputs[static_cast<std::size_t>(output)].name;
}

/// Numbers of a law that estimators have no words for.
void check_laws(const FitSetup& setup, Refusal& refusal) {
    for (const pkpd::Parameter& parameter : setup.model->parameters)
        for (const auto* effect : {&parameter.iiv, &parameter.iov})
            if (*effect && (*effect)->law == pkpd::VariabilityLaw::student)
                refusal.add(fmt::format(
                    "{} varies by law \"student\"; a fit takes normal random effects: lognormal, "
                    "normal, logit or boxcox",
                    parameter.name));
    for (const pkpd::Covariate& covariate : setup.model->covariates)
        if (!covariate.proportions.empty())
            refusal.add(fmt::format("{} is a mixture, which no estimator here can fit; give it as "
                                    "a covariate",
                                    covariate.name));
    if (!setup.model->residual_correlations.empty())
        refusal.add("residual errors of the model are correlated; a fit takes independent ones");
}

void check_censoring(const FitSetup& setup,
                     std::size_t n_values,
                     std::size_t n_censored,
                     Refusal& refusal) {
    if (n_values == 0 && n_censored > 0)
        refusal.add(fmt::format(
            "all {} measurements are censored: nothing says how large any value is", n_censored));
    if (n_censored > 0 && setup.options.method == Method::fo)
        refusal.add("method \"fo\" has no place for censored measurements; take focei, laplace or "
                    "saem");
}

} // namespace

void check_before(const FitSetup& setup) {
    Refusal refusal;
    check_laws(setup, refusal);
    const FitData data(setup);
    const std::size_t n_values = data.n_measured - data.n_censored;
    if (data.n_measured == 0)
        refusal.add("the data have no measurement of an output that is fitted");
    else
        check_censoring(setup, n_values, data.n_censored, refusal);
    if (data.n_measured > 0 && n_estimated(setup) > data.n_measured)
        refusal.add(
            fmt::format("{} measurement{} cannot tell {} numbers: fix some, or give more data",
                        data.n_measured,
                        data.n_measured == 1 ? "" : "s",
                        n_estimated(setup)));
    if (n_estimated(setup) == 0) refusal.add("every number is fixed: there is nothing to estimate");
    const std::size_t with_data = static_cast<std::size_t>(std::ranges::count_if(
        data.subjects, [](const FitSubject& s) { return !s.measured.empty(); }));
    const bool has_open_effects = std::ranges::any_of(setup.numbers, [](const FitNumber& number) {
        return number.law.kind == pkpd::LawNumber::Kind::effect && !number.is_fixed;
    });
    if (with_data == 1 && has_open_effects)
        refusal.add(
            "one subject alone says nothing of how subjects vary: fix the random effects at "
            "sd = 0, or give more subjects");
    constexpr double most_nodes = 2e6; // of a subject
    if (setup.options.method == Method::agq) {
        const int nodes = nodes_for(data.max_effects, setup.options.n_nodes);
        const double all = std::pow(nodes, static_cast<double>(data.max_effects));
        if (all > most_nodes)
            refusal.add(fmt::format("quadrature with {} nodes for each of {} effects is {:.1g} "
                                    "predictions for a subject; take saem or laplace",
                                    nodes,
                                    data.max_effects,
                                    all));
    }
    for (std::size_t o = 0; o < data.outputs.size(); ++o) {
        std::set<double> distinct;
        std::size_t n = 0;
        bool is_positive = true;
        for (const FitSubject& subject : data.subjects)
            for (const Measurement& measured : subject.measured)
                if (measured.place == o && measured.censoring == 0) {
                    distinct.insert(measured.value);
                    is_positive = is_positive && std::isfinite(measured.value);
                    ++n;
                }
        const std::string name = output_name(data.model(), data.outputs[o]);
        if (n > 1 && distinct.size() == 1)
            refusal.add(fmt::format("all {} values of {} are {:g}: a constant has neither a course "
                                    "nor an error to estimate",
                                    n,
                                    name,
                                    data.is_logarithmic[o] != 0 ? std::exp(*distinct.begin())
                                                                : *distinct.begin()));
        if (!is_positive && data.is_logarithmic[o] != 0)
            refusal.add(fmt::format(
                "{} has a value that is not above 0, which no error of law \"lognormal\" gives",
                name));
    }
    refusal.tell();
    const PopulationPoint point = FitScale(data).fixed;
    if (!EffectPrior(data, point).is_proper())
        refusal.add(
            "the covariance of the random effects is singular at the start: a correlation of "
            "1 or -1 leaves them no freedom; start from a smaller one, or take an effect away");
    refusal.tell();
}

namespace {

/// Predictions of every subject without effects.
std::vector<double> typical_predictions(FitEngine& engine,
                                        const PopulationPoint& point,
                                        std::vector<std::size_t>& first) {
    const FitData& data = engine.data;
    std::vector<std::size_t> subjects;
    std::size_t n = 0;
    first.clear();
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        subjects.push_back(s);
        first.push_back(n);
        n += data.subjects[s].measured.size();
    }
    const std::vector<double> effects(data.n_subjects() * data.max_effects, 0.0);
    std::vector<double> values(n);
    engine.predictor.predict({subjects, point.theta, effects, data.max_effects, first}, values);
    return values;
}

const std::string& id_of(const FitData& data, std::size_t subject) {
    return data.setup().data->subjects[subject].id;
}

std::string named(const std::vector<std::string>& ids) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(ids.size(), 5); ++i)
        text += (i == 0 ? "" : ", ") + ids[i];
    return ids.size() > 5 ? fmt::format("{} and {} more", text, ids.size() - 5) : text;
}

} // namespace

void check_start(FitEngine& engine) {
    const FitData& data = engine.data;
    Refusal refusal;
    std::vector<std::size_t> first;
    const std::vector<double> start = engine.scale.start();
    const PopulationPoint point = engine.scale.point(start);
    const std::vector<double> values = typical_predictions(engine, point, first);
    std::vector<std::string> failed;
    bool is_told = false;
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        bool is_finite = true;
        for (std::size_t j = 0; j < data.subjects[s].measured.size(); ++j) {
            const Measurement& measured = data.subjects[s].measured[j];
            const double f = values[first[s] + j];
            is_finite = is_finite && std::isfinite(f);
            const ErrorLaw& law = point.errors[measured.place];
            const double sd = law.is_logarithmic() ? f : law.sd(f);
            if (!std::isfinite(f) || sd > 0.0 || is_told) continue;
            is_told = true;
            refusal.add(fmt::format(
                "subject {} has a measurement of {} at {:g} {} where the model predicts {:g}, and "
                "its "
                "error there is 0: leave such rows out, or give the error an additive part",
                id_of(data, s),
                output_name(data.model(), measured.output),
                measured.time,
                data.model().system.time_unit.text,
                f));
        }
        if (!is_finite) failed.push_back(id_of(data, s));
    }
    if (!failed.empty())
        refusal.add(
            fmt::format("the model has no prediction at the starting values for subject{} {}",
                        failed.size() == 1 ? "" : "s",
                        named(failed)));
    refusal.tell();
    for (const FitScale::Coordinate& c : engine.scale.coordinates) {
        if (c.kind != FitScale::Kind::theta) continue;
        PopulationPoint moved = point;
        const double at = to_scale(c.transform, point.theta[c.parameter]);
        const double step =
            c.transform == FitScale::Transform::none ? 0.1 * std::max(std::abs(at), 0.1) : 0.1;
        moved.theta[c.parameter] =
            from_scale(c.transform, at + step > c.upper ? at - step : at + step);
        const std::vector<double> other = typical_predictions(engine, moved, first);
        double largest = 0.0, change = 0.0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            largest = std::max(largest, std::abs(values[i]));
            if (std::isfinite(other[i])) change = std::max(change, std::abs(other[i] - values[i]));
        }
        if (change <= 1e-12 * largest || largest == 0.0)
            refusal.add(fmt::format(
                "{} changes no prediction of any measurement: the data cannot tell it{}",
                data.model().parameters[c.parameter].name,
                largest == 0.0 ? "; every prediction is 0: do the doses go into a compartment that "
                                 "the measured "
                                 "output depends on?"
                               : "; fix it, or look whether the model reads what is dosed"));
    }
    refusal.tell();
}

} // namespace gemel::learners
