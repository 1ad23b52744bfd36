#include "trigger_words.hpp"

#include <gemel/pkpd/dosing.hpp>
#include <gemel/sim/units.hpp>

#include <fmt/format.h>

#include <cmath>
#include <limits>

/// How doses are written: the keys of `{ dose = … }`. What they become is in dosing.cpp.
namespace gemel::pkpd {
namespace {

using sim::Dimension;
using sim::Quantity;
using sim::Unit;

constexpr double not_given = std::numeric_limits<double>::quiet_NaN();
constexpr Dimension area_dimension{{0, 2}};

std::string quoted_kind(const char* what, const std::string& text, const Dimension& dimension) {
    return fmt::format("the {} \"{}\" is {}", what, text, dimension.name());
}

io::Field described(const char* name, const char* about, const char* example) {
    io::Field field;
    field.name = name;
    field.about = about;
    field.example = example;
    return field;
}

const char* const dose_help = "for a dose by body weight write \"0.4 mg/kg\"";

void read_dose(const io::TomlView& view, io::Fields& fields, DoseWords& words) {
    words.dose.value = not_given;
    if (view.kind() == io::TomlKind::table) return; // read as one
    const std::optional<std::string> text = view.text();
    if (!text) {
        const std::optional<double> number = view.number();
        fields.mistake(
            "dose",
            number ? "a dose needs a unit"
                   : fmt::format("a dose is a text such as \"100 mg\", not {}", name(view.kind())),
            number ? fmt::format("write dose = \"{} mg\"", *number) : "");
        return;
    }
    words.dose_text = *text;
    std::string why;
    const std::optional<DoseAmount> dose = parse_dose(*text, &why);
    if (!dose)
        fields.mistake("dose", why, dose_help);
    else if (!(dose->amount.value > 0.0) || !std::isfinite(dose->amount.value))
        fields.mistake("dose",
                       fmt::format("the dose \"{}\" is not positive", *text),
                       "leave out the whole { … } to give nothing");
    else {
        words.dose = dose->amount;
        words.per = dose->per;
    }
}

void read_rate(const io::TomlView& view, io::Fields& fields, DoseWords& words) {
    if (view.text() == "model") {
        words.is_rate_modelled = true;
        return;
    }
    const char* const help = "an infusion by body weight is a dose in \"mg/kg\" with infuse_over";
    const std::optional<std::string> text = view.text();
    if (!text) {
        fields.mistake(
            "rate", fmt::format("a rate is a text such as \"10 mg/h\", not {}", name(view.kind())));
        return;
    }
    std::string why;
    const std::optional<Quantity> rate = sim::parse_quantity(*text, &why);
    if (!rate)
        fields.mistake("rate", fmt::format("the rate \"{}\" is not understood: {}", *text, why));
    else if (!is_amount(rate->unit.dimension * sim::time_dimension))
        fields.mistake("rate",
                       quoted_kind("rate", *text, rate->unit.dimension) +
                           "; an amount per time such as \"10 mg/h\" is expected",
                       help);
    else if (!(rate->value > 0.0) || !std::isfinite(rate->value))
        fields.mistake(
            "rate",
            fmt::format("the rate \"{}\" is not positive", *text),
            "write a rate above 0, as in \"10 mg/h\"; to give nothing leave out the whole "
            "{ … }");
    else
        words.rate = *rate;
}

void describe_time(io::Fields& fields, const io::Field& field, std::optional<Quantity>& time) {
    Quantity value;
    fields.quantity(field, sim::time_dimension, value);
    // A value of a wrong dimension is reported by the reader and leaves `value` as it was.
    if (fields.has(field.name) && value.unit.dimension == sim::time_dimension) time = value;
}

io::Field positive_time(const char* name, const char* about, const char* example) {
    io::Field field = described(name, about, example);
    field.at_least = 0.0;
    field.exclusive = true;
    return field;
}

void describe_policy_dose(io::Fields& fields, PolicyDoseWords& words) {
    io::Field policy = described("policy", "a policy of the study", "\"iwpc\"");
    policy.required = true;
    fields.text(policy, words.policy);
    words.span = fields.has("policy") ? fields.span("policy") : fields.span();
    io::Field times = described("times", "so many times that; 1", "2");
    times.at_least = 0.0;
    times.exclusive = true;
    fields.number(times, words.times);
    describe_time(fields,
                  positive_time("lasting",
                                "of a dose per time: the amount for so long; else for `every`",
                                "\"48 h\""),
                  words.lasting);
}

/// In place of an amount.
void describe_policy(io::Fields& fields, DoseWords& words) {
    PolicyDoseWords policy;
    fields.table(described("dose", "each subject's own amount", "{ policy = \"iwpc\" }"),
                 [&policy](io::Fields& table) { describe_policy_dose(table, policy); });
    if (fields.is_listing() || policy.policy.empty()) return; // told already
    words.dose = {1.0, sim::Unit{}};
    words.dose_text = "policy " + policy.policy;
    words.policy = std::move(policy);
}

void describe_times(io::Fields& fields, DoseWords& dose) {
    describe_time(
        fields, described("at", "time of the dose; 0; may be before it", "\"8 h\""), dose.at);
    describe_time(fields,
                  described("start", "the same as `at`, reads better with `every`", "\"8 h\""),
                  dose.at);
    describe_time(
        fields,
        positive_time("every", "interval between repeats; one dose without it", "\"24 h\""),
        dose.every);
    io::Field count = described("count", "how many doses, the first included", "14");
    count.at_least = 1;
    std::int64_t n = 0;
    fields.integer(count, n);
    if (fields.has("count") && n >= 1) dose.count = n;
    describe_time(
        fields,
        described("until", "repeats fall before this time; the end of the study", "\"14 d\""),
        dose.until);
    describe_time(fields,
                  positive_time("for", "repeats fall before start plus this", "\"14 d\""),
                  dose.lasting);
}

void check_repeats(io::Fields& fields) {
    if (fields.has("when")) return; // there they mean something else
    for (const char* word : {"count", "until", "for"})
        if (fields.has(word) && !fields.has("every"))
            fields.mistake(word,
                           fmt::format("`{}` says when repeats end, but nothing is repeated", word),
                           "add the interval, as in every = \"24 h\"");
}

/// What stands in place of `dose`.
const char* const changes[] = {"reset", "set", "multiply", "switch", "stop"};

/// The one that stands here, or nothing.
const char* change_in(const io::Fields& fields) {
    for (const char* word : changes)
        if (fields.has(word)) return word;
    return nullptr;
}

void read_set(const io::TomlView& view, io::Fields& fields, DoseWords& words) {
    const std::optional<double> number = view.number();
    std::string why = fmt::format("{} stands there", name(view.kind()));
    std::optional<Quantity> value;
    if (number)
        value = Quantity{*number, {}};
    else if (const std::optional<std::string> text = view.text())
        value = sim::parse_quantity(*text, &why);
    if (!value || !std::isfinite(value->value))
        return fields.mistake("set",
                              fmt::format("what '{}' becomes is not understood: {}",
                                          words.into.empty() ? "the state" : words.into,
                                          why),
                              "write an amount, as in set = \"0 mg\"");
    words.dose_text = view.text().value_or(fmt::format("{}", value->value));
    words.set = value;
}

void describe_changes(io::Fields& fields, DoseWords& words) {
    bool resets = true;
    fields.flag(
        described("reset",
                  "instead of a dose: every state becomes its initial value, infusions stop",
                  "true"),
        resets);
    if (fields.has("reset")) {
        words.kind = sim::RecordKind::reset;
        if (!resets) fields.mistake("reset", "'reset' is false", "leave out the whole { … }");
    }
    fields.any(described("set", "instead of a dose: what the state `into` becomes", "\"0 mg\""),
               "a value in the state's unit",
               [&](const io::TomlView& view) {
                   words.kind = sim::RecordKind::set;
                   read_set(view, fields, words);
               });
    io::Field multiply =
        described("multiply", "instead of a dose: the state `into` is multiplied by this", "0.5");
    multiply.at_least = 0.0;
    fields.number(multiply, words.factor);
    if (fields.has("multiply")) words.kind = sim::RecordKind::multiply;
    int turned = -1;
    fields.choice(described("switch",
                            "instead of a dose: off, the state `into` becomes 0 and stays so until "
                            "it is on again, from 0, by a switch or a dose into it",
                            "\"off\""),
                  {"off", "on"},
                  turned);
    if (fields.has("switch"))
        words.kind = turned == 1 ? sim::RecordKind::switch_on : sim::RecordKind::switch_off;
    bool stops = true;
    fields.flag(described("stop",
                          "instead of a dose: running infusions end, and no dose planned by then "
                          "comes any more",
                          "true"),
                stops);
    if (fields.has("stop")) {
        words.kind = sim::RecordKind::discontinue;
        if (!stops) fields.mistake("stop", "'stop' is false", "leave out the whole { … }");
    }
    fields.one_of({"dose", "reset", "set", "multiply", "switch", "stop"}, false);
}

/// What belongs to a dose says nothing of what is none.
void check_change(io::Fields& fields, const char* change) {
    const bool is_reset = change == std::string("reset") || change == std::string("stop");
    for (const char* word : {"route", "infuse_over", "rate", "steady_state"})
        if (fields.has(word))
            fields.mistake(word,
                           fmt::format("`{}` belongs to a dose, and `{}` is none", word, change),
                           word == std::string("route") && !is_reset
                               ? "name the state, as in into = \"central\""
                               : "leave it out");
    if (is_reset && fields.has("into"))
        fields.mistake("into",
                       fmt::format("`{}` is of all states", change),
                       "for one state write set = \"0 mg\" and the state");
    if (!is_reset && !fields.has("into") && !fields.has("route"))
        fields.mistake(change,
                       fmt::format("`{}` does not say of which state", change),
                       "add the state, as in into = \"central\"");
}

void describe_steady_state(io::Fields& fields, DoseWords& dose) {
    fields.any(described("steady_state",
                         "the dose stands at the end of infinitely many like it, `every` apart; "
                         "\"add\": what they make is added to what there is. With `rate` alone: "
                         "an infusion that ends now and has been running for ever",
                         "true"),
               "true, or \"add\"",
               [&](const io::TomlView& view) {
                   const std::optional<bool> flag = view.boolean();
                   if (flag == true)
                       dose.steady = sim::SteadyState::replaces;
                   else if (view.text() == "add")
                       dose.steady = sim::SteadyState::adds;
                   else if (!flag)
                       fields.mistake("steady_state",
                                      "'steady_state' is neither true nor \"add\"",
                                      "true: the steady state replaces what there is; \"add\": it "
                                      "is added to that");
               });
}

/// A dose at its interval, or an infusion without end.
void check_steady_state(io::Fields& fields, const DoseWords& dose) {
    const bool is_steady = dose.steady != sim::SteadyState::none;
    if (!is_steady && !fields.has("dose") && fields.has("steady_state"))
        fields.mistake("steady_state",
                       "'steady_state' is no steady state, and no dose is given",
                       "write steady_state = true for an infusion that has been running for ever");
    const bool is_constant = !fields.has("dose") && fields.has("rate");
    if (!is_steady || is_constant || fields.has("every")) return;
    fields.mistake("steady_state",
                   "a steady state is that of doses at an interval, and there is none",
                   "add the interval, as in every = \"24 h\", and count = 1 if no dose follows; "
                   "an infusion that has been running for ever has a rate and no dose");
}

/// An infusion without end has a rate and nothing else that says how much.
bool is_constant_infusion(const io::Fields& fields) {
    return fields.has("steady_state") && fields.has("rate") && !fields.has("every");
}

void describe_amount(io::Fields& fields, DoseWords& dose) {
    io::Field amount = described("dose",
                                 "amount given, or amount per kg (× WT) or per m2 (× BSA); each "
                                 "entry has one, unless something else happens",
                                 "\"100 mg\"");
    const bool is_constant = is_constant_infusion(fields);
    amount.required = !fields.is_listing() && change_in(fields) == nullptr && !is_constant;
    bool is_policy = fields.is_listing();
    fields.any(amount,
               "an amount, an amount per kg or per m2, or { policy = … }",
               [&](const io::TomlView& view) {
                   dose.dose_span = view.span();
                   is_policy = view.kind() == io::TomlKind::table;
                   read_dose(view, fields, dose);
               });
    if (is_policy) describe_policy(fields, dose);
    if (!fields.has("dose")) dose.dose.value = is_constant ? 0.0 : not_given;
}

} // namespace

bool is_amount(const Dimension& dimension) {
    for (Dimension::Base base : {Dimension::mass,
                                 Dimension::substance,
                                 Dimension::international_unit,
                                 Dimension::cell,
                                 Dimension::copy}) {
        Dimension amount;
        amount.exponents[base] = 1;
        if (dimension == amount) return true;
    }
    return false;
}

std::optional<DoseAmount> parse_dose(const std::string& text, std::string* why) {
    std::string reason;
    const std::optional<Quantity> whole = sim::parse_quantity(text, &reason);
    if (const std::size_t slash = text.rfind('/'); whole && slash != std::string::npos) {
        const std::optional<Quantity> amount = sim::parse_quantity(text.substr(0, slash));
        std::string below = text.substr(slash + 1);
        below.erase(0, below.find_first_not_of(' '));
        below.erase(below.find_last_not_of(' ') + 1);
        const std::optional<Unit> per = sim::parse_unit(below);
        if (amount && per && is_amount(amount->unit.dimension) &&
            (per->dimension == sim::mass_dimension || per->dimension == area_dimension))
            return DoseAmount{*amount, *per};
    }
    if (whole && is_amount(whole->unit.dimension)) return DoseAmount{*whole, std::nullopt};
    if (why != nullptr)
        *why = whole ? quoted_kind("dose", text, whole->unit.dimension) +
                           "; an amount such as \"30 mg\" is expected"
                     : fmt::format("the dose \"{}\" is not understood: {}", text, reason);
    return std::nullopt;
}

void describe_dose(io::Fields& fields, DoseWords& dose) {
    dose.span = fields.span();
    describe_amount(fields, dose);

    io::Field route = described("route", "route of the model; its default route", "\"oral\"");
    fields.text(route, dose.route);
    io::Field into = described("into", "state of the model, instead of a route", "\"depot\"");
    fields.text(into, dose.into);
    fields.one_of({"route", "into"}, false);

    describe_times(fields, dose);
    fields.one_of({"at", "start"}, false);
    fields.one_of({"count", "until", "for"}, false);
    check_repeats(fields);

    const io::Field infuse_over =
        positive_time("infuse_over",
                      "duration of an infusion; \"model\": the model's duration(…) of the state",
                      "\"30 min\"");
    fields.any(infuse_over, "quantity of time, or \"model\"", [&](const io::TomlView& view) {
        dose.is_duration_modelled = view.text() == "model";
        if (!dose.is_duration_modelled) describe_time(fields, infuse_over, dose.infuse_over);
    });
    io::Field rate = described("rate",
                               "rate of an infusion, instead of its duration; \"model\": the "
                               "model's rate(…) of the state",
                               "\"10 mg/h\"");
    fields.any(rate, "an amount per time, or \"model\"", [&](const io::TomlView& view) {
        read_rate(view, fields, dose);
    });
    fields.one_of({"infuse_over", "rate"}, false);
    describe_steady_state(fields, dose);
    describe_changes(fields, dose);
    describe_trigger(fields, dose.when);
    const char* const change = change_in(fields);
    if (change != nullptr)
        check_change(fields, change);
    else
        check_steady_state(fields, dose);

    const auto place = [&](std::initializer_list<const char*> words) {
        for (const char* word : words)
            if (fields.has(word)) return fields.span(word);
        return dose.span;
    };
    dose.route_span = place({"route", "into"});
    dose.time_span = place({"at", "start"});
    dose.repeat_span = place({"count", "until", "for", "every"});
    dose.infusion_span = place({"infuse_over", "rate"});
    dose.change_span = change != nullptr ? fields.span(change) : dose.span;
}

} // namespace gemel::pkpd
