#include <gemel/io/text_table.hpp>
#include <gemel/pkpd/input_files.hpp>

#include <fmt/format.h>

namespace gemel::pkpd {

namespace {

const char* rule_text(Interpolation rule) {
    switch (rule) {
    case Interpolation::locf:
        return "locf: the last value carried forward";
    case Interpolation::nocb:
        return "nocb: the next value carried backward";
    case Interpolation::linear:
        return "linear between values";
    case Interpolation::none:
        break;
    }
    return "none";
}

std::string n_of(std::size_t n, const std::string& what) {
    return fmt::format("{} {}{}", io::grouped(n), what, n == 1 ? "" : "s");
}

} // namespace

std::vector<InputFile>
input_files(const Model& model, const DataSet* data, const Population& population) {
    std::vector<InputFile> files{{"model_toml", model.file, model.text->text}};
    int n_used = 0;
    for (const auto& used : model.used)
        files.push_back({fmt::format("model_used_{}_toml", ++n_used), used->name, used->text});
    std::map<std::string, std::shared_ptr<const GeneTable>> genes = model.genes;
    for (const GenotypeDistribution& genotype : population.genotypes)
        genes.emplace(genotype.gene, genotype.table);
    if (data != nullptr) files.push_back({"data_csv", data->path, data->file->text});
    for (const PopulationFile& file : population.files)
        files.push_back({file.name, file.path, file.text->text});
    if (const auto& uncertainty = population.uncertainty; uncertainty && uncertainty->file)
        files.push_back({uncertainty->file_name, uncertainty->path, uncertainty->file->text});
    for (const auto& [name, gene] : genes)
        files.push_back({"gene_" + name + "_toml", gene->file->name, gene->file->text});
    return files;
}

std::string describe_data_set(const DataSet& data, const Model& model) {
    std::string text = fmt::format("data      {}: {}, {}, {}\n",
                                   data.path.filename().string(),
                                   n_of(data.subjects.size(), "subject"),
                                   n_of(data.n_doses(), "dose record"),
                                   n_of(data.n_observations(), "observation"));
    if (data.ignores_doses) text += "doses     those of the file are left out, with its resets\n";
    for (const DataColumn& column : data.columns)
        text += fmt::format("column    {}: {}{}\n",
                            column.header,
                            column.role,
                            column.unit.empty() ? "" : fmt::format(" in {}", column.unit));
    for (const DataCovariate& covariate : data.covariates)
        if (covariate.varies)
            text +=
                fmt::format("in time   {}: {}\n",
                            model.covariates[static_cast<std::size_t>(covariate.covariate)].name,
                            rule_text(covariate.interpolation));
    if (!data.occasion.empty())
        text += fmt::format(
            "occasions {}: {}\n", data.occasion, rule_text(data.occasion_interpolation));
    return text;
}

} // namespace gemel::pkpd
