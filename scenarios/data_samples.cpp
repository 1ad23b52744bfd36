#include "data_samples.hpp"

#include <gemel/pkpd/residual.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace gemel::scenarios {

namespace {

const sim::NamedExpr& output_of(const Study& study, int output) {
    return study.model->system.outputs[static_cast<std::size_t>(output)];
}

std::string predicted_path(const Study& study, int output) {
    return "samples/predicted/" + output_of(study, output).name;
}

/// Headers become names of variables.
std::string carried_path(const std::string& header) {
    std::string name;
    for (const char c : header) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool is_digit = c >= '0' && c <= '9';
        name += is_letter || is_digit ? c : '_';
    }
    const bool begins_well = !name.empty() && !(name[0] >= '0' && name[0] <= '9');
    return "samples/carried/" + (begins_well ? name : "_" + name);
}

struct Carried {
    const pkpd::CarriedColumn* column = nullptr;
    std::string path;
};

/// Columns whose names become one are numbered from the second on.
std::vector<Carried> carried_columns(const Study& study) {
    std::vector<Carried> columns;
    std::set<std::string> paths;
    for (const pkpd::CarriedColumn& column : study.data->carried) {
        const std::string path = carried_path(column.header);
        std::string own = path;
        for (int n = 2; !paths.insert(own).second; ++n)
            own = path + "_" + std::to_string(n);
        columns.push_back({&column, own});
    }
    return columns;
}

/// Calls `visit(subject number, observation)` for all samples in their order.
template <class Visit>
void for_each_sample(const Study& study, const Visit& visit) {
    for (std::size_t s = 0; s < study.data->subjects.size(); ++s)
        for (const pkpd::DataObservation& o : study.data->subjects[s].observations)
            visit(s, o);
}

bool has_file_times(const Study& study) {
    return std::ranges::any_of(study.data->subjects, [](const pkpd::DataSubject& subject) {
        return !subject.file_times.empty();
    });
}

/// In the file, as the row has it.
double file_time(const pkpd::DataSubject& subject, const pkpd::DataObservation& observation) {
    if (subject.file_times.empty()) return observation.time;
    return subject.file_times[observation.row - subject.first_row];
}

std::size_t n_samples(const Study& study) {
    std::size_t n = 0;
    for (const pkpd::DataSubject& subject : study.data->subjects)
        n += subject.observations.size();
    return n;
}

/// Of the outputs that observations name, "none" last.
std::vector<std::string> output_names(const Study& study) {
    std::vector<std::string> names;
    for (const int output : data_outputs(study))
        names.push_back(output_of(study, output).name);
    names.emplace_back("none");
    return names;
}

std::string unit_of_dv(const Study& study) {
    const std::vector<int> outputs = data_outputs(study);
    for (const int output : outputs)
        if (output_of(study, output).unit.text != output_of(study, outputs[0]).unit.text)
            return "1";
    return outputs.empty() ? "1" : output_of(study, outputs[0]).unit.text;
}

} // namespace

std::vector<int> data_outputs(const Study& study) {
    std::set<int> named;
    if (study.data == nullptr) return {};
    for_each_sample(study, [&](std::size_t, const pkpd::DataObservation& o) {
        if (o.output >= 0) named.insert(o.output);
    });
    for (int k = 0; named.empty() && k < static_cast<int>(study.model->system.outputs.size()); ++k)
        named.insert(named.end(), k);
    return {named.begin(), named.end()};
}

void declare_data_samples(const Study& study, io::Layout& file) {
    if (study.data == nullptr || n_samples(study) == 0) return;
    file.add(io::Axis{.name = "sample",
                      .long_name = "number of the observation, in the order of the data file",
                      .count = n_samples(study)});
    const auto add = [&](const std::string& name,
                         io::ValueType type,
                         std::string unit,
                         const char* about,
                         std::vector<std::string> meanings = {}) {
        file.add(
            {"samples/" + name, type, {"sample"}, std::move(unit), about, std::move(meanings), {}});
    };
    add("subject", io::ValueType::integer, "1", "number of the subject");
    add("ID", io::ValueType::text, "1", "subject as in the data file");
    add("time", io::ValueType::real, study.model->system.time_unit.text, "time of the observation");
    if (has_file_times(study))
        add("file_time",
            io::ValueType::real,
            study.model->system.time_unit.text,
            "time as in the data file, where it begins anew at resets");
    add("line", io::ValueType::integer, "1", "line of the data file");
    add("output", io::ValueType::category, "1", "what DV is of", output_names(study));
    add("DV",
        io::ValueType::real,
        unit_of_dv(study),
        "observed value, in the unit of its output; missing where none is to be used");
    add("CENS", io::ValueType::integer, "1", "1: below the limit; -1: above");
    add("limit", io::ValueType::real, unit_of_dv(study), "limit of a censored value");
    for (const Carried& carried : carried_columns(study))
        file.add(
            {carried.path, io::ValueType::text, {"sample"}, "1", carried.column->header, {}, {}});
    file.add({"samples/measured",
              io::ValueType::real,
              {"arm", "sample"},
              unit_of_dv(study),
              "simulated value of the row's output, with its residual error",
              {},
              {}});
    for (const int output : data_outputs(study))
        file.add({predicted_path(study, output),
                  io::ValueType::real,
                  {"arm", "sample"},
                  output_of(study, output).unit.text,
                  output_of(study, output).label.empty() ? output_of(study, output).name
                                                         : output_of(study, output).label,
                  {},
                  {}});
}

DataSampleRecorder::DataSampleRecorder(const Study& study, std::uint32_t replicate)
    : study_(study),
      first_{0} {
    if (study.data == nullptr) return;
    outputs_ = data_outputs(study);
    laws_ = study.population.laws_of(replicate);
    for (const pkpd::DataSubject& subject : study.data->subjects)
        first_.push_back(first_.back() + subject.observations.size());
    measured_.assign(study.arms.size() * first_.back(), std::numeric_limits<double>::quiet_NaN());
    values_.assign(outputs_.size(),
                   std::vector<double>(study.arms.size() * first_.back(),
                                       std::numeric_limits<double>::quiet_NaN()));
}

void DataSampleRecorder::add(const SolvedBlock& block) {
    for (std::size_t k = 0; k < values_.size(); ++k)
        std::copy(block.result.own[k].begin(),
                  block.result.own[k].end(),
                  values_[k].begin() +
                      static_cast<std::ptrdiff_t>(block.arm * first_.back() +
                                                  first_[block.cohort.range.first]));
    if (!values_.empty()) measure(block);
}

/// The value of the output that a row is of, with that output's residual error, as a simulated DV.
void DataSampleRecorder::measure(const SolvedBlock& block) {
    const sim::SubjectRange& range = block.cohort.range;
    for (std::size_t s = 0; s < block.n_subjects(); ++s) {
        const std::size_t subject = range.first + s, first = first_[subject];
        std::vector<pkpd::ResidualSample> schedule;
        std::vector<double> values;
        std::vector<std::size_t> rows;
        const auto& observations = study_.data->subjects[subject].observations;
        for (std::size_t i = 0; i < observations.size(); ++i) {
            const auto at = std::find(outputs_.begin(), outputs_.end(), observations[i].output);
            if (at == outputs_.end()) continue;
            const auto k = static_cast<std::size_t>(at - outputs_.begin());
            schedule.push_back({observations[i].output, observations[i].time});
            values.push_back(values_[k][block.arm * first_.back() + first + i]);
            rows.push_back(i);
        }
        std::vector<double> drawn(values.size());
        pkpd::ResidualLaw(*study_.model, schedule, laws_ ? &*laws_ : nullptr)
            .observe(
                {study_.population.seed, range.replicate, study_.population.data->keys[subject]},
                values,
                drawn);
        for (std::size_t i = 0; i < rows.size(); ++i)
            measured_[block.arm * first_.back() + first + rows[i]] = drawn[i];
    }
}

void DataSampleRecorder::write_rows(io::ResultFile& file) const {
    std::vector<std::int64_t> subjects, lines, cens;
    std::vector<std::string> ids;
    std::vector<double> times, file_times, dv, limits;
    std::vector<std::uint8_t> outputs;
    for_each_sample(study_, [&](std::size_t s, const pkpd::DataObservation& o) {
        subjects.push_back(static_cast<std::int64_t>(s + 1));
        ids.push_back(study_.data->subjects[s].id);
        times.push_back(o.time);
        file_times.push_back(file_time(study_.data->subjects[s], o));
        lines.push_back(study_.data->lines[o.row]);
        dv.push_back(o.dv);
        cens.push_back(o.cens);
        limits.push_back(o.limit);
        outputs.push_back(static_cast<std::uint8_t>(
            std::find(outputs_.begin(), outputs_.end(), o.output) - outputs_.begin()));
    });
    file.write_all("samples/subject", std::span<const std::int64_t>(subjects));
    file.write_all("samples/ID", ids);
    file.write_all("samples/time", std::span<const double>(times));
    if (has_file_times(study_))
        file.write_all("samples/file_time", std::span<const double>(file_times));
    file.write_all("samples/line", std::span<const std::int64_t>(lines));
    file.write_all("samples/output", std::span<const std::uint8_t>(outputs));
    file.write_all("samples/DV", std::span<const double>(dv));
    file.write_all("samples/CENS", std::span<const std::int64_t>(cens));
    file.write_all("samples/limit", std::span<const double>(limits));
    for (const Carried& carried : carried_columns(study_)) {
        std::vector<std::string> texts;
        for_each_sample(study_, [&](std::size_t, const pkpd::DataObservation& o) {
            texts.push_back(carried.column->text[o.row]);
        });
        file.write_all(carried.path, texts);
    }
}

void DataSampleRecorder::write(io::ResultFile& file) const {
    if (first_.back() == 0) return;
    write_rows(file);
    file.write_all("samples/measured", std::span<const double>(measured_));
    for (std::size_t k = 0; k < values_.size(); ++k)
        file.write_all(predicted_path(study_, outputs_[k]), std::span<const double>(values_[k]));
}

} // namespace gemel::scenarios
