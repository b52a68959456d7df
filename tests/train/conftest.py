import pytest


@pytest.fixture(scope="session")
def tiny_encoder_folder(tmp_path_factory):
    """A three-layer XLM-R encoder, 32 wide, random, saved in Hugging Face's format."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=120,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=66,
        type_vocab_size=1,
        initializer_range=0.2,
    )
    folder = tmp_path_factory.mktemp("encoder")
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder
