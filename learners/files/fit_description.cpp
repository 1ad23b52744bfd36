#include <gemel/io/text_table.hpp>
#include <gemel/learners/fit_file.hpp>

#include <fmt/format.h>

#include <cmath>

namespace gemel::learners {

namespace {

/// "≥ 0", "0 … 1"; "" without any.
std::string bounds_text(const FitNumber& number) {
    const bool has_lower = std::isfinite(number.lower), has_upper = std::isfinite(number.upper);
    if (has_lower && has_upper) return fmt::format("{:g} … {:g}", number.lower, number.upper);
    if (has_lower) return fmt::format("≥ {:g}", number.lower);
    return has_upper ? fmt::format("≤ {:g}", number.upper) : "";
}

std::string numbers_table(const FitSetup& setup) {
    std::vector<std::vector<std::string>> rows{{"number", "start", "unit", "bounds", ""}};
    for (const FitNumber& number : setup.numbers)
        rows.push_back({number.law.name,
                        fmt::format("{:g}", number.start),
                        number.law.unit.text,
                        bounds_text(number),
                        number.is_fixed ? "fixed" : ""});
    return io::text_table(rows, io::Alignment::left);
}

} // namespace

std::vector<std::string> notes_on(const FitSetup& setup) {
    std::vector<std::string> notes = setup.model->notes;
    notes.insert(notes.end(), setup.data->notes.begin(), setup.data->notes.end());
    return notes;
}

std::string describe_fit(const FitSetup& setup) {
    const pkpd::Model& model = *setup.model;
    std::string text = fmt::format("model     {} ({} states)\n",
                                   model.name.empty() ? model.id : model.name,
                                   model.system.states.size());
    text += pkpd::describe_data_set(*setup.data, model);
    for (const std::string& note : notes_on(setup))
        text += fmt::format("note      {}\n", note);
    text += fmt::format("method    {}, seed {}", name(setup.options.method), setup.options.seed);
    if (setup.options.n_starts > 1) text += fmt::format(", {} starts", setup.options.n_starts);
    return text + "\n" + numbers_table(setup);
}

} // namespace gemel::learners
