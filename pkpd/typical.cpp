#include <gemel/pkpd/model.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace gemel::pkpd {

namespace {

[[noreturn]] void refuse(const std::string& message) {
    throw std::invalid_argument("typical_inputs: " + message);
}

void check_names(const Model& model, const TypicalPatient& patient) {
    for (const auto& [name, value] : patient.covariates)
        if (model.find_covariate(name) < 0) refuse(fmt::format("no covariate '{}'", name));
    for (const auto& [name, text] : patient.genotypes)
        if (!model.genes.contains(name)) refuse(fmt::format("no gene '{}'", name));
    for (const auto& [name, value] : patient.parameters) {
        const int index = model.find_parameter(name);
        if (index < 0) refuse(fmt::format("no parameter '{}'", name));
        if (model.parameters[static_cast<std::size_t>(index)].is_computed)
            refuse(fmt::format("the value of parameter '{}' is an expression", name));
    }
}

double theta(const Parameter& parameter, const TypicalPatient& patient) {
    const auto replaced = patient.parameters.find(parameter.name);
    return replaced == patient.parameters.end() ? parameter.value : replaced->second;
}

double covariate_value(const Covariate& covariate, const TypicalPatient& patient) {
    const auto given = patient.covariates.find(covariate.name);
    if (given != patient.covariates.end()) return given->second;
    if (!covariate.reference)
        refuse(fmt::format("the covariate '{}' has no reference and is not given", covariate.name));
    return *covariate.reference;
}

double map_factor(const Model& model, const GenotypeMap& map, const TypicalPatient& patient) {
    const GeneTable& gene = *model.genes.at(map.gene);
    Diplotype diplotype = gene.reference_diplotype();
    if (const auto given = patient.genotypes.find(map.gene); given != patient.genotypes.end()) {
        std::string why;
        const auto parsed = gene.parse_diplotype(given->second, &why);
        if (!parsed) refuse(why);
        diplotype = *parsed;
    }
    const auto value = map_value(map, gene, diplotype, gene.score(diplotype), nullptr);
    if (!value)
        refuse(fmt::format("the map '{}' has no value for {}", map.name, gene.text(diplotype)));
    return *value;
}

} // namespace

std::vector<double> typical_inputs(const Model& model, const TypicalPatient& patient) {
    check_names(model, patient);
    std::vector<double> inputs;
    for (const InputSource& source : model.inputs) {
        const auto index = static_cast<std::size_t>(source.index);
        switch (source.kind) {
        case InputSource::Kind::theta:
            inputs.push_back(theta(model.parameters[index], patient));
            break;
        case InputSource::Kind::eta:
        case InputSource::Kind::iov:
            inputs.push_back(0.0);
            break;
        case InputSource::Kind::covariate:
            inputs.push_back(covariate_value(model.covariates[index], patient));
            break;
        case InputSource::Kind::category:
            inputs.push_back(covariate_value(model.covariates[index], patient) == source.category);
            break;
        case InputSource::Kind::map:
            inputs.push_back(map_factor(model, model.maps[index], patient));
            break;
        }
    }
    return inputs;
}

} // namespace gemel::pkpd
