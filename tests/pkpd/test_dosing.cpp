#include <gemel/pkpd/dosing.hpp>

#include <doctest/doctest.h>

#include <memory>

using namespace gemel;
using pkpd::DoseWords;

namespace {

/// Depot and central in mg, a metabolite in nmol (0.5 µg/nmol), an effect that takes no dose.
pkpd::Model body() {
    pkpd::Model model;
    model.id = "body";
    model.system.time_unit = *sim::parse_unit("h");
    const char* const states[][2] = {
        {"depot", "mg"}, {"central", "mg"}, {"metabolite", "nmol"}, {"effect", "mg/L"}};
    for (const auto& [name, unit] : states) {
        sim::State state;
        state.name = name;
        state.unit = *sim::parse_unit(unit);
        model.system.states.push_back(state);
    }
    model.molar_mass = {0.0, 0.0, 5e-4, 0.0};
    model.routes.resize(2);
    model.routes[0].name = "oral";
    model.routes[0].is_default = true;
    model.routes[1].name = "iv";
    model.routes[1].state = 1;
    return model;
}

void add_input(pkpd::Model& model, const char* name, const char* unit) {
    pkpd::Covariate covariate;
    covariate.name = name;
    covariate.unit = *sim::parse_unit(unit);
    model.covariates.push_back(covariate);
    pkpd::InputSource theta;
    pkpd::InputSource source;
    source.kind = pkpd::InputSource::Kind::covariate;
    source.index = static_cast<int>(model.covariates.size()) - 1;
    model.inputs.push_back(theta);
    model.inputs.push_back(source);
}

struct Planned {
    pkpd::Regimen regimen;
    std::string messages; ///< "" if nothing is wrong
};

Planned plan(const std::string& doses, const pkpd::Model& model, double duration = 336.0) {
    auto file = std::make_shared<sim::SourceFile>();
    file->name = "study.toml";
    file->text = "doses = [ " + doses + " ]\n";
    sim::DiagnosticList diagnostics;
    const io::TomlView document = io::parse_toml(file, diagnostics);
    std::vector<DoseWords> words;
    for (const io::TomlView& dose : document["doses"].elements()) {
        words.emplace_back();
        io::read_fields(dose, diagnostics, [&](io::Fields& fields) {
            pkpd::describe_dose(fields, words.back());
        });
    }
    Planned planned;
    planned.regimen = pkpd::plan_doses("test", words, model, duration, diagnostics);
    planned.messages = diagnostics.empty() ? "" : diagnostics.render();
    return planned;
}

bool says(const Planned& planned, const std::string& text) {
    return planned.messages.find(text) != std::string::npos;
}

} // namespace

TEST_CASE("one dose without words goes by the default route at time 0") {
    const Planned planned = plan(R"({ dose = "100 mg" })", body());
    REQUIRE(planned.messages == "");
    REQUIRE(planned.regimen.records.size() == 1);
    const sim::Record& record = planned.regimen.records[0];
    CHECK(record.time == 0.0);
    CHECK(record.kind == sim::RecordKind::add);
    CHECK(record.state == 0);
    CHECK(record.amount == 100.0);
    CHECK(record.count == 1);
    CHECK(record.interval == 0.0);
    CHECK(planned.regimen.dose_times == std::vector<double>{0.0});
    CHECK(planned.regimen.last_interval == 0.0);
}

TEST_CASE("repeats fall at start <= t < until, count includes the first, for counts from start") {
    const pkpd::Model model = body();
    const auto count_of = [&](const std::string& words) {
        const Planned planned = plan("{ dose = \"1 mg\", " + words + " }", model);
        REQUIRE(planned.messages == "");
        return planned.regimen.records.at(0).count;
    };
    // Counted by hand from the rule in the name.
    CHECK(count_of(R"(every = "24 h", until = "72 h")") == 3);
    CHECK(count_of(R"(every = "24 h", until = "73 h")") == 4);
    CHECK(count_of(R"(every = "24 h", count = 5)") == 5);
    CHECK(count_of(R"(start = "1 d", every = "12 h", for = "2 d")") == 4);
    CHECK(count_of(R"(every = "24 h")") == 14);               // to the end of the study
    CHECK(count_of(R"(every = "24 h", count = 1000)") == 14); // never after it
    CHECK(count_of(R"(every = "24 h", until = "1 a")") == 14);
}

TEST_CASE("intervals that are no binary fractions do not gain or lose a dose by rounding") {
    pkpd::Model model = body();
    model.system.time_unit = *sim::parse_unit("d");
    // 8 h is a third of a day: three doses a day, none at the end itself.
    for (int days = 1; days <= 60; ++days) {
        const Planned planned = plan(R"({ dose = "1 mg", every = "8 h" })", model, days);
        REQUIRE(planned.messages == "");
        CHECK(planned.regimen.records[0].count == 3 * days);
        CHECK(planned.regimen.dose_times.size() == static_cast<std::size_t>(3 * days));
    }
}

TEST_CASE("times are exact in the model's time unit where units are whole multiples") {
    const sim::Unit day = *sim::parse_unit("d"), hour = *sim::parse_unit("h");
    for (int n = 0; n <= 400; ++n) {
        const double times = n;
        CHECK(pkpd::time_in({24.0 * times, hour}, day) == times);
        CHECK(pkpd::time_in({times, day}, hour) == 24.0 * times);
        CHECK(pkpd::time_in({30.0 * times, *sim::parse_unit("min")}, hour) == 0.5 * times);
        CHECK(pkpd::time_in({times, *sim::parse_unit("wk")}, day) == 7.0 * times);
    }
}

TEST_CASE("amounts are converted to the state's unit, mass to substance by the molar mass") {
    const pkpd::Model model = body();
    CHECK(plan(R"({ dose = "250 ug" })", model).regimen.records.at(0).amount == 0.25);
    CHECK(plan(R"({ dose = "1.5 g", route = "iv" })", model).regimen.records.at(0).amount ==
          1500.0);
    // 2 mg / (5e-4 mg/nmol) = 4000 nmol.
    const Planned converted = plan(R"({ dose = "2 mg", into = "metabolite" })", model);
    REQUIRE(converted.messages == "");
    CHECK(converted.regimen.records.at(0).amount == doctest::Approx(4000.0).epsilon(1e-14));
    CHECK(converted.regimen.records.at(0).state == 2);
}

TEST_CASE("a dose by body weight or surface names the column that multiplies it") {
    pkpd::Model model = body();
    add_input(model, "WT", "g");
    add_input(model, "BSA", "m2");
    // 0.4 mg/kg is 0.0004 mg per g of weight, the covariate's unit.
    const Planned by_weight = plan(R"({ dose = "0.4 mg/kg" })", model);
    REQUIRE(by_weight.messages == "");
    CHECK(by_weight.regimen.records.at(0).amount == doctest::Approx(4e-4).epsilon(1e-14));
    CHECK(by_weight.regimen.records.at(0).amount_factor == 1);
    const Planned by_surface = plan(R"({ dose = "75 mg/m2", infuse_over = "1 h" })", model);
    REQUIRE(by_surface.messages == "");
    CHECK(by_surface.regimen.records.at(0).amount == doctest::Approx(75.0).epsilon(1e-14));
    CHECK(by_surface.regimen.records.at(0).amount_factor == 3);
    CHECK(says(plan(R"({ dose = "0.4 mg/kg" })", body()), "needs the covariate WT"));
}

TEST_CASE("infusions are given by duration or by rate") {
    const pkpd::Model model = body();
    const sim::Record by_time =
        plan(R"({ dose = "100 mg", route = "iv", infuse_over = "30 min" })", model)
            .regimen.records.at(0);
    CHECK(by_time.kind == sim::RecordKind::infuse);
    CHECK(by_time.duration == 0.5);
    CHECK(by_time.rate == 0.0);
    const sim::Record by_rate =
        plan(R"({ dose = "100 mg", route = "iv", rate = "2 g/d" })", model).regimen.records.at(0);
    CHECK(by_rate.kind == sim::RecordKind::infuse);
    CHECK(by_rate.duration == 0.0);
    CHECK(by_rate.rate == doctest::Approx(2000.0 / 24.0).epsilon(1e-14));
}

TEST_CASE(
    "a regimen is a sequence: its times are merged and its last interval is the last dose's") {
    const Planned planned = plan(R"({ dose = "200 mg" },
        { dose = "100 mg", start = "24 h", every = "24 h", until = "72 h" },
        { dose = "5 mg", route = "iv", at = "2 d" },
        { dose = "50 mg", start = "4 d", every = "12 h", count = 3 })",
                                 body());
    REQUIRE(planned.messages == "");
    CHECK(planned.regimen.records.size() == 4);
    CHECK(planned.regimen.dose_times == std::vector<double>{0.0, 24.0, 48.0, 96.0, 108.0, 120.0});
    CHECK(planned.regimen.last_interval == 12.0);
    // A single dose after repeated ones is the last, and it is not repeated.
    const Planned boosted = plan(
        R"({ dose = "1 mg", every = "1 d", count = 2 }, { dose = "9 mg", at = "3 d" })", body());
    CHECK(boosted.regimen.last_interval == 0.0);
}

TEST_CASE("steady states, resets and changes of states become the engine's records") {
    const pkpd::Model model = body();
    const Planned planned = plan(R"({ dose = "1 mg", every = "12 h", steady_state = true },
        { dose = "1 mg", at = "1 d", every = "12 h", count = 1, steady_state = "add" },
        { rate = "2 mg/h", route = "iv", at = "2 d", steady_state = true },
        { reset = true, at = "3 d" },
        { set = "2 mg", into = "metabolite", at = "3 d", every = "1 d", count = 3 },
        { set = 0, into = "effect", at = "4 d" },
        { multiply = 0.25, into = "central", at = "5 d" },
        { dose = "1 mg", start = "-2 d", every = "1 d", until = "0 h" },
        { dose = "1 mg", every = "1 d", count = 1, steady_state = false })",
                                 model);
    REQUIRE(planned.messages == "");
    const std::vector<sim::Record>& records = planned.regimen.records;
    REQUIRE(records.size() == 11);
    CHECK(records[0].steady == sim::SteadyState::replaces);
    CHECK(records[0].count == 28); // on to the end of the study
    CHECK(records[1].steady == sim::SteadyState::adds);
    CHECK(records[1].interval == 12.0);
    CHECK(records[1].count == 1);
    CHECK(records[2].kind == sim::RecordKind::infuse);
    CHECK(records[2].amount == 0.0);
    CHECK(records[2].rate == 2.0);
    CHECK(records[2].interval == 0.0);
    CHECK(records[3].kind == sim::RecordKind::reset);
    for (std::size_t i = 4; i < 7; ++i) {
        CHECK(records[i].kind == sim::RecordKind::set);
        CHECK(records[i].state == 2);
        CHECK(records[i].amount == doctest::Approx(4000.0).epsilon(1e-14)); // by its molar mass
        CHECK(records[i].time == 72.0 + 24.0 * static_cast<double>(i - 4));
        CHECK(records[i].count == 1);
    }
    CHECK(records[7].state == 3);
    CHECK(records[7].amount == 0.0);
    CHECK(records[8].kind == sim::RecordKind::multiply);
    CHECK(records[8].amount == 0.25);
    CHECK(records[9].time == -48.0);
    CHECK(records[9].count == 2);
    CHECK(records[10].steady == sim::SteadyState::none);
    CHECK(planned.regimen.first_time == -48.0);
    CHECK(planned.regimen.dose_times.front() == -48.0);
    // The engine takes what is planned.
    const sim::Timeline timeline{records, 336.0, planned.regimen.first_time};
    CHECK_NOTHROW(sim::validate(timeline, 4, 0));
}

TEST_CASE("a concentration for a dose is told as in the conventions") {
    const Planned planned = plan(R"({ dose = "30 mg/mL", route = "oral", every = "6 h" })", body());
    CHECK(
        says(planned,
             "the dose \"30 mg/mL\" is a concentration; an amount such as \"30 mg\" is expected"));
    CHECK(says(planned, "help: for a dose by body weight write \"0.4 mg/kg\""));
    CHECK(says(planned, "study.toml:1:20: error"));
}

TEST_CASE("each mistake of a dose is told once, at its place, with its cure") {
    const pkpd::Model model = body();
    const std::pair<const char*, const char*> mistakes[] = {
        {R"({ dose = 100 })", "a dose needs a unit"},
        {R"({ dose = "-5 mg" })", "the dose \"-5 mg\" is not positive"},
        {R"({ dose = "0 mg" })", "the dose \"0 mg\" is not positive"},
        {R"({ dose = "5 mgg" })", "is not understood"},
        {R"({ dose = [5] })", "a dose is a text such as \"100 mg\""},
        {R"({ every = "24 h" })", "'dose' is missing"},
        {R"({ dose = "5 mg", route = "orla" })", "did you mean 'oral'?"},
        {R"({ dose = "5 mg", into = "centrl" })", "did you mean 'central'?"},
        {R"({ dose = "5 mg", into = "effect" })", "doses go into states that are amounts"},
        {R"({ dose = "5 nmol" })", "needs molar_mass"},
        {R"({ dose = "200 IU" })", "write the dose in mg or a unit of the same kind"},
        {R"({ dose = "5 mg", infuse_over = "model" })", "does not define duration(depot)"},
        {R"({ dose = "5 mg", rate = "model" })", "does not define rate(depot)"},
        {R"({ dose = "5 mg", rate = "0 mg/h" })", "write a rate above 0"},
        {R"({ dose = "5 mg", route = "iv", into = "central" })", "exclude each other"},
        {R"({ dose = "5 mg", at = "1 h", start = "2 h" })", "exclude each other"},
        {R"({ dose = "5 mg", every = "0 h" })", "'every'"},
        {R"({ dose = "5 mg", every = "24 mg" })", "'every'"},
        {R"({ dose = "5 mg", count = 3 })", "add the interval"},
        {R"({ dose = "5 mg", every = "1 d", count = 0 })", "'count'"},
        {R"({ dose = "5 mg", every = "1 d", count = 3, until = "9 d" })", "exclude each other"},
        {R"({ dose = "5 mg", start = "3 d", every = "1 d", until = "2 d" })",
         "repeats end before the first dose"},
        {R"({ dose = "5 mg", at = "14 d" })", "is not before the end of the study, 336 h"},
        {R"({ dose = "5 mg", every = "1e-6 h" })", "check the units"},
        {R"({ dose = "5 mg", infuse_over = "0 h" })", "'infuse_over'"},
        {R"({ dose = "5 mg", rate = "5 mg" })", "an amount per time such as \"10 mg/h\""},
        {R"({ dose = "5 mg", rate = "-5 mg/h" })", "is not positive"},
        {R"({ dose = "5 mg", rate = "5 nmol/h" })", "does not fit the state depot"},
        {R"({ dose = "5 mg", rate = "5 mg/h", infuse_over = "1 h" })", "exclude each other"},
        {R"({ dose = "5 mg", evry = "1 h" })", "did you mean 'every'?"},
        {R"({ dose = "5 mg", steady_state = true })", "add the interval"},
        {R"({ dose = "5 mg", every = "1 d", steady_state = "yes" })", "neither true nor \"add\""},
        {R"({ dose = "5 mg", rate = "1 mg/h", steady_state = true })", "has a rate and no dose"},
        {R"({ rate = "1 mg/h" })", "'dose' is missing"},
        {R"({ rate = "1 mg/h", every = "1 d", steady_state = true })", "'dose' is missing"},
        {R"({ rate = "1 mg/h", steady_state = false })", "no dose is given"},
        {R"({ infuse_over = "1 h", every = "1 d", steady_state = true })", "'dose' is missing"},
        {R"({ reset = false })", "leave out the whole { … }"},
        {R"({ reset = true, into = "depot" })", "`reset` is of all states"},
        {R"({ reset = true, dose = "5 mg" })", "exclude each other"},
        {R"({ reset = true, rate = "5 mg/h" })", "`rate` belongs to a dose"},
        {R"({ reset = true, every = "1 d", steady_state = true })",
         "`steady_state` belongs to a dose"},
        {R"({ reset = true, at = "14 d" })", "the record at 336 h is not before the end"},
        {R"({ set = "5 mg" })", "`set` does not say of which state"},
        {R"({ set = "5 mg", route = "iv" })", "name the state"},
        {R"({ set = "5 mg", into = "centrl" })", "did you mean 'central'?"},
        {R"({ set = "5 mgg", into = "depot" })", "what 'depot' becomes is not understood"},
        {R"({ set = true, into = "depot" })", "what 'depot' becomes is not understood"},
        {R"({ set = "5 h", into = "depot" })", "the state depot is in mg (an amount)"},
        {R"({ set = 5, into = "depot" })", "write for example set = \"10 mg\""},
        {R"({ set = "-5 mg", into = "depot" })", "that depot becomes is below 0"},
        {R"({ dose = "1 g", rate = "1 mg/h", every = "1e-3 h", count = 1, steady_state = true })",
         "1e+06 of these infusions would run at once"},
        {R"({ multiply = -1, into = "depot" })", "'multiply'"},
        {R"({ multiply = 0.5 })", "`multiply` does not say of which state"},
    };
    for (const auto& [words, expected] : mistakes) {
        CAPTURE(words);
        const Planned planned = plan(words, model);
        CAPTURE(planned.messages);
        CHECK(says(planned, expected));
        CHECK(says(planned, "1 error"));
    }
}
