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

io::Field time_field(const char* name, const char* about, const char* example, bool is_positive) {
    io::Field field = described(name, about, example);
    field.at_least = 0.0;
    field.exclusive = is_positive;
    return field;
}

/// Time 0 is where a study begins, so that a negative one is mostly a wish for a steady state.
void describe_start(io::Fields& fields,
                    const char* name,
                    const char* about,
                    std::optional<Quantity>& time) {
    const io::Field field = time_field(name, about, "\"8 h\"", false);
    fields.any(field, "quantity of time", [&](const io::TomlView& view) {
        const auto given = sim::parse_quantity(view.text().value_or(""));
        if (given && given->unit.dimension == sim::time_dimension && given->value < 0.0)
            fields.mistake(
                name,
                fmt::format("'{}' is \"{}\", before the study begins", name, *view.text()),
                "the study begins at 0 h: give the first dose then, and look later");
        else
            describe_time(fields, field, time);
    });
}

void describe_times(io::Fields& fields, DoseWords& dose) {
    describe_start(fields, "at", "time of the dose; 0", dose.at);
    describe_start(fields, "start", "the same as `at`, reads better with `every`", dose.at);
    describe_time(
        fields,
        time_field("every", "interval between repeats; one dose without it", "\"24 h\"", true),
        dose.every);
    io::Field count = described("count", "how many doses, the first included", "14");
    count.at_least = 1;
    std::int64_t n = 0;
    fields.integer(count, n);
    if (fields.has("count") && n >= 1) dose.count = n;
    describe_time(
        fields,
        time_field(
            "until", "repeats fall before this time; the end of the study", "\"14 d\"", true),
        dose.until);
    describe_time(fields,
                  time_field("for", "repeats fall before start plus this", "\"14 d\"", true),
                  dose.lasting);
}

void check_repeats(io::Fields& fields) {
    for (const char* word : {"count", "until", "for"})
        if (fields.has(word) && !fields.has("every"))
            fields.mistake(word,
                           fmt::format("`{}` says when repeats end, but nothing is repeated", word),
                           "add the interval, as in every = \"24 h\"");
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
    io::Field amount =
        described("dose", "amount given, or amount per kg (× WT) or per m2 (× BSA)", "\"100 mg\"");
    amount.required = true;
    fields.any(amount, "an amount, or an amount per kg or per m2", [&](const io::TomlView& view) {
        dose.dose_span = view.span();
        read_dose(view, fields, dose);
    });
    if (!fields.has("dose")) dose.dose.value = not_given;

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
        time_field("infuse_over",
                   "duration of an infusion; \"model\": the model's duration(…) of the state",
                   "\"30 min\"",
                   true);
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

    const auto place = [&](std::initializer_list<const char*> words) {
        for (const char* word : words)
            if (fields.has(word)) return fields.span(word);
        return dose.span;
    };
    dose.route_span = place({"route", "into"});
    dose.time_span = place({"at", "start"});
    dose.repeat_span = place({"count", "until", "for", "every"});
    dose.infusion_span = place({"infuse_over", "rate"});
}

} // namespace gemel::pkpd
